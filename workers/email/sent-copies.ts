/** What the mailbox tells of mails of ours: many providers keep a copy of what they send. */
import { GatewayError } from "../../src/contract/errors.ts";
import { deadline } from "../../src/support/deadline.ts";
import type { MailAccount } from "./account.ts";
import type { ImapConnection } from "./imap-connection.ts";
import { findUids, searchFolder, sentFolderOf } from "./mail-search.ts";
import type { MailboxDesk } from "./mailbox-desk.ts";
import { ownIdBeginning } from "./thread.ts";

/** With the time for saying it, less than the outbox's thirty seconds. */
const lookUpDeadlineMs = 6_000;
/** A provider that has kept copies lately does so still. */
const evidenceAgeMs = 7 * 86_400_000;

/** What looking works with. */
export type SentCopiesParts = {
  readonly account: MailAccount;
  readonly desk: MailboxDesk;
  readonly folders: readonly string[];
};

/** `missing`: the sent folder has other mails of ours, and not this one. `untold`: nobody keeps copies there. */
export type SentCopy = "there" | "missing" | "untold";

/** Mails of one account. */
export class SentCopies {
  readonly #parts: SentCopiesParts;

  constructor(parts: SentCopiesParts) {
    this.#parts = parts;
  }

  /** Whether the mail `messageId` is in the mailbox. @throws {GatewayError} what IMAP says; `timeout` after six seconds. */
  async find(messageId: string, signal: AbortSignal): Promise<SentCopy> {
    const error = new GatewayError(
      "timeout",
      `Cannot find out within ${lookUpDeadlineMs} ms whether the mail was sent`,
    );
    using late = deadline(lookUpDeadlineMs, { error, signal });
    return await this.#parts.desk.ask((connection) => this.#find(connection, messageId), late.signal);
  }

  async #find(connection: ImapConnection, messageId: string): Promise<SentCopy> {
    const { account, folders } = this.#parts;
    const query = { header: { "message-id": messageId } };
    const sent = await sentFolderOf(connection);
    if (sent !== null && (await findUids(connection, sent, query)).length > 0) return "there";
    for (const folder of folders)
      if (folder !== sent && (await searchFolder(connection, folder, query)).length > 0) return "there";
    if (sent === null) return "untold";
    const ours = {
      header: { "message-id": ownIdBeginning },
      from: account.from.address,
      since: new Date(Date.now() - evidenceAgeMs),
    };
    return (await findUids(connection, sent, ours)).length > 0 ? "missing" : "untold";
  }
}
