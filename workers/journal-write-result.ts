/** The two results nearly every write has. */
import type { WriteResult } from "../src/contract/journal.ts";

/** Written, or already so. */
export const fresh: WriteResult = Object.freeze({ duplicate: false, existingId: null });
/** A message that is known under another number. */
export const duplicateMessage: WriteResult = Object.freeze({ duplicate: true, existingId: null });
