/** A mail as the bytes that are sent. The library writes the header, so that nothing in a text can add a line to it. */
import MailComposer from "nodemailer/lib/mail-composer";
import type { OutgoingMail } from "./outgoing-mail.ts";

/** Who writes it, and when. */
export type Authorship = { readonly from: { readonly name: string; readonly address: string }; readonly date: Date };

/** Programs that answer by themselves are not to answer a program. https://www.rfc-editor.org/rfc/rfc3834#section-5 */
const answerHeaders = { "Auto-Submitted": "auto-replied", "X-Auto-Response-Suppress": "OOF, AutoReply" } as const;

/** The whole of it. Two calls differ in the parts' boundaries alone. */
export async function composeMail(mail: OutgoingMail, { from, date }: Authorship): Promise<Buffer> {
  const composer = new MailComposer({
    from,
    to: { name: "", address: mail.to },
    subject: mail.subject,
    messageId: mail.messageId,
    date,
    ...(mail.inReplyTo === null ? {} : { inReplyTo: mail.inReplyTo }),
    references: [...mail.references],
    headers: mail.isAnswer ? { ...answerHeaders } : {},
    text: mail.text,
    ...(mail.html === null ? {} : { html: mail.html }),
    attachments: mail.files.map(({ filename, mimeType, bytes }) => ({
      filename,
      contentType: mimeType,
      content: Buffer.from(bytes),
    })),
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return composer.compile().build();
}
