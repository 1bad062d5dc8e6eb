/** Which mails are no message to us: what programs send by themselves, what we sent ourselves, and whom the policy keeps out. */
import { comparable, isAllowed } from "./addresses.ts";
import type { Mail } from "./mail.ts";

/** Why a mail is dropped. */
export type DropReason =
  | "no_sender"
  | "own"
  | "auto_submitted"
  | "auto_reply"
  | "bulk"
  | "list"
  | "report"
  | "not_allowed";

const bulkPrecedences: ReadonlySet<string> = new Set(["bulk", "junk", "list", "auto_reply"]);

/** `null`: it is a message. https://www.rfc-editor.org/rfc/rfc3834#section-2 */
export function dropReason(
  mail: Pick<Mail, "from" | "marks">,
  {
    ownAddresses,
    allowedSenders,
  }: { readonly ownAddresses: ReadonlySet<string>; readonly allowedSenders: readonly string[] },
): DropReason | null {
  const { from, marks } = mail;
  if (marks.isReport) return "report";
  if (from === null) return "no_sender";
  if (ownAddresses.has(comparable(from.address))) return "own";
  if (marks.autoSubmitted !== "" && marks.autoSubmitted !== "no") return "auto_submitted";
  if (marks.isAutoReply) return "auto_reply";
  if (bulkPrecedences.has(marks.precedence)) return "bulk";
  if (marks.isList) return "list";
  return isAllowed(from.address, allowedSenders) ? null : "not_allowed";
}
