/** Where a file of a mail is, as the text that is stored with a message and comes back to fetch it by. */

/** Where a mail is. `uidValidity` is a decimal number. */
export type MailPlace = { readonly folder: string; readonly uidValidity: string; readonly uid: number };

/** Where a file is. */
export type FilePlace = MailPlace & { readonly part: string };

const partForm = /^[1-9][0-9]{0,5}(?:\.[1-9][0-9]{0,5}){0,60}$/u;
const longestRefCharacters = 1_024;

/** `["INBOX","1700000000",7,"2"]`; `null`: it is where no reference can point to. */
export function fileRef({ folder, uidValidity, uid, part }: FilePlace): string | null {
  const ref = JSON.stringify([folder, uidValidity, uid, part]);
  return ref.length <= longestRefCharacters && partForm.test(part) ? ref : null;
}

/** `null` for anything that {@link fileRef} did not write. */
export function parseFileRef(ref: string): FilePlace | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(ref);
  } catch {
    // Not ours.
    return null;
  }
  if (!Array.isArray(parsed) || parsed.length !== 4) return null;
  const [folder, uidValidity, uid, part] = parsed as readonly unknown[];
  if (typeof folder !== "string" || typeof uidValidity !== "string" || typeof part !== "string") return null;
  if (typeof uid !== "number" || !Number.isSafeInteger(uid) || uid < 1) return null;
  return partForm.test(part) ? { folder, uidValidity, uid, part } : null;
}
