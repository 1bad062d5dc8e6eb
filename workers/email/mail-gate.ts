/** What becomes of a mail that was fetched: a message, a message that says why it is none, or nothing but a count. */
import type { AdapterContext, Policy } from "../../src/contract/adapter.ts";
import type { EmittedMessage } from "../../src/contract/message.ts";
import { MinuteLog } from "../../src/support/minute-log.ts";
import type { MailAccount } from "./account.ts";
import type { FetchedMail } from "./fetch-mail.ts";
import type { MailPlace } from "./file-ref.ts";
import type { ReadMailEntry } from "./folder-cursor.ts";
import { dropReason } from "./screening.ts";
import { mailIdOf, translateMail, translateUnknown, translateUnreadable } from "./translate-mail.ts";

/** What a gate works with. */
export type MailGateParts = {
  readonly context: Pick<AdapterContext, "log" | "missed">;
  readonly account: MailAccount;
  /** Of the moment. */
  readonly policy: () => Policy;
};

/** A mail that was dealt with. `isMarked`: it is marked as seen once it is on disk. */
export type PassedMail = {
  readonly entry: ReadMailEntry;
  readonly message: EmittedMessage | null;
  readonly isMarked: boolean;
};

/** A message has to fit into 4 MiB with everything around it. */
const longestTextBytes = 2_097_152;

/** See the file's comment. */
export class MailGate {
  readonly #parts: MailGateParts;
  readonly #dropped: MinuteLog;

  constructor(parts: MailGateParts) {
    this.#parts = parts;
    this.#dropped = new MinuteLog((fields) => parts.context.log.info("email-mail-dropped", fields));
  }

  /** How much of a text is wanted. */
  get maxTextBytes(): number {
    return Math.min(this.#parts.policy().maxBodyBytes, longestTextBytes);
  }

  /** `isKnown` says whether the mail with that id was read under another UID. */
  pass(place: MailPlace, { listed, mail, problem }: FetchedMail, isKnown: (id: string) => boolean): PassedMail {
    const { account, policy } = this.#parts;
    const { receivedAtMs } = listed;
    if (mail === null) return this.passOver(place, problem ?? "it is not there", receivedAtMs);
    const { allowedSenders, maxAttachmentBytes } = policy();
    const id = mailIdOf(mail);
    const entry = { uid: place.uid, id, receivedAtMs };
    const reason = dropReason(mail, { ownAddresses: account.ownAddresses, allowedSenders });
    if (reason !== null) this.#dropped.note(reason);
    // A mail that is none of ours stays as unread as it was: it may be somebody else's to read.
    if (reason !== null || isKnown(id)) return { entry, message: null, isMarked: false };
    const translation = {
      place,
      receivedAtMs,
      fromAddress: account.from.address,
      allowedSenders,
      maxBodyBytes: this.maxTextBytes,
      maxAttachmentBytes,
    };
    if (problem === null) return { entry, message: translateMail(mail, translation), isMarked: true };
    this.#countUnreadable(place, problem);
    return { entry, message: translateUnreadable(mail, problem, translation), isMarked: false };
  }

  /** A mail of which nothing is known. */
  passOver(place: MailPlace, problem: string, receivedAtMs: number | null): PassedMail {
    this.#countUnreadable(place, problem);
    const entry = { uid: place.uid, id: null, receivedAtMs };
    return { entry, message: translateUnknown(place, problem), isMarked: false };
  }

  #countUnreadable({ folder, uid }: MailPlace, problem: string): void {
    this.#parts.context.log.warn("email-mail-unreadable", { folder, uid, problem });
    this.#parts.context.missed({ messages: 1 });
  }
}
