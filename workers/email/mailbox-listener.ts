/** The way in: a connection that listens, and the next one when it is lost. A long outage is the supervisor's. */
import type { AdapterContext } from "../../src/contract/adapter.ts";
import { GatewayError } from "../../src/contract/errors.ts";
import { sleep, steadyNow } from "../../src/support/time.ts";
import type { MailAccount } from "./account.ts";
import { ImapConnection } from "./imap-connection.ts";
import type { MailboxWatch } from "./mailbox-watch.ts";
import { afterLoss, stableAfterMs } from "./reconnect-delay.ts";

/** What listening works with. */
export type MailboxListenerParts = {
  readonly context: Pick<AdapterContext, "log" | "frame" | "reconnecting" | "connected">;
  readonly account: MailAccount;
  readonly watch: MailboxWatch;
};

const probeDeadlineMs = 8_000;
/** What came so lately is proof enough: asking would wait behind a long answer. */
const freshMs = 5_000;

/** See the file's comment. */
export class MailboxListener {
  /** Settles when it is over; rejects with why, unless it was stopped. */
  readonly closed: Promise<void>;
  readonly #parts: MailboxListenerParts;
  readonly #ending = new AbortController();
  #connection: ImapConnection;

  /** Logged in, with a folder open. @throws {GatewayError} `unauthorized`, `config_invalid`, `rate_limited` and others. */
  static async start(parts: MailboxListenerParts, signal: AbortSignal): Promise<MailboxListener> {
    return new MailboxListener(parts, await connect(parts, signal));
  }

  private constructor(parts: MailboxListenerParts, connection: ImapConnection) {
    this.#parts = parts;
    this.#connection = connection;
    this.closed = this.#run();
    // Whoever does not watch it must not be ended by it.
    this.closed.catch(() => {});
  }

  /** @throws {GatewayError} when the server does not answer, or there is no connection. */
  async probe(): Promise<void> {
    if (!this.#connection.isOver && this.#connection.silentForMs < freshMs) return;
    await this.#connection.check(probeDeadlineMs);
  }

  /** Cuts the connection; what it was reading, the next life reads. */
  async stop(): Promise<void> {
    this.#ending.abort(new GatewayError("adapter_unavailable", "The adapter is stopping"));
    this.#connection[Symbol.dispose]();
    await this.closed.catch(() => {});
  }

  async #run(): Promise<void> {
    const { signal } = this.#ending;
    let losses = 0;
    try {
      for (;;) {
        const connectedAtMs = steadyNow();
        const error = await this.#listen();
        if (steadyNow() - connectedAtMs >= stableAfterMs) losses = 0;
        losses = await this.#reconnect(error, losses + 1);
      }
    } catch (reason) {
      if (!signal.aborted) throw reason;
    }
  }

  /** Why it ended. */
  async #listen(): Promise<GatewayError> {
    const { signal } = this.#ending;
    using connection = this.#connection;
    try {
      return await this.#parts.watch.run(connection, signal);
    } catch (reason) {
      signal.throwIfAborted();
      return GatewayError.from(reason);
    }
  }

  /** How many losses it took. @throws {GatewayError} when it is no use. */
  async #reconnect(first: GatewayError, firstLoss: number): Promise<number> {
    const { context } = this.#parts;
    const { signal } = this.#ending;
    let error = first;
    for (let losses = firstLoss; ; losses += 1) {
      const next = afterLoss(error, losses, Math.random());
      if (next.kind === "end") throw error;
      context.log.info("email-reconnecting", { error: error.message, retryInMs: next.delayMs });
      context.reconnecting(error.message);
      await sleep(next.delayMs, signal);
      try {
        this.#connection = await connect(this.#parts, signal);
        context.connected();
        return losses;
      } catch (reason) {
        signal.throwIfAborted();
        error = GatewayError.from(reason);
      }
    }
  }
}

async function connect(
  { context, account, watch }: MailboxListenerParts,
  signal: AbortSignal,
): Promise<ImapConnection> {
  const listener = { onFrame: () => context.frame(), onNews: () => watch.onNews() };
  const connection = await ImapConnection.open(account, { ...listener, signal });
  // A start that is given up does not wait for the folder either.
  const onAbort = (): void => connection[Symbol.dispose]();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    await watch.open(connection);
    return connection;
  } catch (reason) {
    connection[Symbol.dispose]();
    signal.throwIfAborted();
    throw reason;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
