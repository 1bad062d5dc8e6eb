/** A mail as the MIME thread gives it: plain data, every part of it bounded, nothing of it trusted. */
import type { MailAddress } from "./addresses.ts";

/** A file in a mail. */
export type MailFile = {
  readonly filename: string;
  readonly mimeType: string;
  /** `null`: not known before it is fetched. */
  readonly sizeBytes: number | null;
  /** IMAP's number of the part, such as `1.2`. */
  readonly part: string;
};

/** What tells a person's mail from a program's. */
export type AutomationMarks = {
  /** Lower case; `""`: none. */
  readonly autoSubmitted: string;
  readonly precedence: string;
  /** `X-Autoreply` or `X-Autorespond`. */
  readonly isAutoReply: boolean;
  /** `List-Id` or `List-Unsubscribe`. */
  readonly isList: boolean;
  /** A delivery report, or a mail without a return path, which only reports are. */
  readonly isReport: boolean;
};

/** See the file's comment. */
export type Mail = {
  /** In angle brackets; `null`: it has none. */
  readonly messageId: string | null;
  readonly inReplyTo: string | null;
  /** Oldest first: the root, then at most the last 99. */
  readonly references: readonly string[];
  /** `null`: nobody that could be answered. */
  readonly from: MailAddress | null;
  readonly replyTo: MailAddress | null;
  readonly to: string;
  readonly subject: string;
  /** Milliseconds since the epoch; `null`: no date that makes sense. */
  readonly dateMs: number | null;
  readonly marks: AutomationMarks;
  readonly text: string;
  /** There is more text than was allowed. */
  readonly isTextCut: boolean;
  /** At most 100. */
  readonly files: readonly MailFile[];
  /** How many more there are. */
  readonly filesLeftOut: number;
  /** Tells mails apart that share a Message-ID, or have none: of who, when and about what. */
  readonly digest: string;
};

/** Bounds of the above. */
export const mailLimits = {
  files: 100,
  filenameCharacters: 255,
  headerCharacters: 998,
  references: 100,
} as const;

/** A file's name as it may be shown: no control characters and no marks that turn writing around, never empty. */
export function safeFilename(name: string | undefined): string {
  const plain = (name ?? "")
    .toWellFormed()
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "")
    .trim();
  return plain === "" ? "file" : plain.slice(0, mailLimits.filenameCharacters);
}

const mimeTypeForm = /^[\w.+-]{1,60}\/[\w.+-]{1,120}$/u;

/** `type` where it has the form of one. */
export function safeMimeType(type: string | undefined): string {
  return type !== undefined && mimeTypeForm.test(type) ? type.toLowerCase() : "application/octet-stream";
}

const longestMessageId = mailLimits.headerCharacters;

/** Every `<…>` in a header, in order. Read once from left to right, whatever is in it. */
export function messageIdsIn(header: string): readonly string[] {
  const found: string[] = [];
  let start = -1;
  for (let at = 0; at < header.length; at += 1) {
    const character = header[at];
    if (character === "<") start = at;
    else if (start >= 0 && character === ">") {
      const id = header.slice(start, at + 1).replaceAll(/[\s\p{C}]/gu, "");
      if (id.length > 2 && id.length <= longestMessageId) found.push(id);
      start = -1;
    }
  }
  return found;
}
