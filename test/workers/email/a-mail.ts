/** A mail that was read, with everything at its plainest. */
import type { Mail } from "../../../workers/email/mail.ts";

/** `fields` in place of the defaults. */
export function aMail(fields: Partial<Mail> = {}): Mail {
  return {
    messageId: "<first@people.example>",
    inReplyTo: null,
    references: [],
    from: { name: "Ann", address: "ann@people.example" },
    replyTo: null,
    to: "bot@mail.example",
    subject: "A question",
    dateMs: Date.UTC(2026, 0, 2, 3, 4, 5),
    marks: { autoSubmitted: "", precedence: "", isAutoReply: false, isList: false, isReport: false },
    text: "hello",
    isTextCut: false,
    files: [],
    filesLeftOut: 0,
    digest: "abcdefghijklmnop",
    ...fields,
  };
}
