/**
 * The second connection to the mailbox, for what somebody asks: files, history, whether a mail was sent. The first one
 * listens, and a large file must not keep it from hearing. Opened when it is needed, one question at a time, closed when
 * nobody has asked for a minute.
 */
import { GatewayError } from "../../src/contract/errors.ts";
import { after, orAborted } from "../../src/support/time.ts";
import { Turns } from "../../src/support/turns.ts";
import type { MailAccount } from "./account.ts";
import { ImapConnection } from "./imap-connection.ts";

const idleMs = 60_000;
const mostWaiting = 32;

/** See the file's comment. Disposing ends what is under way. */
export class MailboxDesk implements Disposable {
  readonly #account: MailAccount;
  readonly #ending = new AbortController();
  #connection: ImapConnection | null = null;
  #closing: Disposable | null = null;
  readonly #turns = new Turns();
  #waiting = 0;

  constructor(account: MailAccount) {
    this.#account = account;
  }

  /**
   * What `ask` resolves with, once it is its turn.
   * @throws {GatewayError} `queue_full` with 32 that wait; the signal's reason; what the connection says.
   */
  async ask<Answer>(ask: (connection: ImapConnection) => Promise<Answer>, signal?: AbortSignal): Promise<Answer> {
    const signals = [this.#ending.signal, ...(signal === undefined ? [] : [signal])];
    const ending = AbortSignal.any(signals);
    ending.throwIfAborted();
    if (this.#waiting >= mostWaiting)
      throw new GatewayError("queue_full", `Cannot ask the mailbox: ${mostWaiting} questions wait already`);
    this.#waiting += 1;
    try {
      return await this.#turns.take(() => this.#answer(ask, ending), ending);
    } finally {
      this.#waiting -= 1;
      this.#closeLater();
    }
  }

  [Symbol.dispose](): void {
    this.#ending.abort(new GatewayError("adapter_unavailable", "The adapter is stopping"));
    this.#closing?.[Symbol.dispose]();
    this.#close();
  }

  async #answer<Answer>(ask: (connection: ImapConnection) => Promise<Answer>, ending: AbortSignal): Promise<Answer> {
    try {
      const connection = await this.#open(ending);
      return await orAborted(ask(connection), ending);
    } catch (reason) {
      // Nobody waits any more for what it is in the middle of: the next one begins anew.
      if (ending.aborted) this.#close();
      throw reason;
    }
  }

  async #open(signal: AbortSignal): Promise<ImapConnection> {
    this.#closing?.[Symbol.dispose]();
    if (this.#connection !== null && !this.#connection.isOver) return this.#connection;
    const nothing = (): void => {};
    this.#connection = await ImapConnection.open(this.#account, { onFrame: nothing, onNews: nothing, signal });
    return this.#connection;
  }

  #closeLater(): void {
    this.#closing?.[Symbol.dispose]();
    if (this.#ending.signal.aborted) return;
    this.#closing = after(idleMs, () => {
      if (this.#waiting === 0) this.#close();
    });
  }

  #close(): void {
    this.#connection?.[Symbol.dispose]();
    this.#connection = null;
  }
}
