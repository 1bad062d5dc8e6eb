/** Commands that know what to do without a gateway, too. */
import { NotRunningError } from "../admin-client.ts";

/** What `ask` resolves with; `null` when no gateway runs. */
export async function ifRunning<Answer>(ask: () => Promise<Answer>): Promise<Answer | null> {
  try {
    return await ask();
  } catch (reason) {
    if (reason instanceof NotRunningError) return null;
    throw reason;
  }
}
