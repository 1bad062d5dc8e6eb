/** Keeps exactly one connection open, for adapters that keep one: the next begins when the last is gone, a few times at most. */
import { GatewayError } from "../contract/errors.ts";
import { sleep } from "./time.ts";

/** A connection that is open, or over. */
export interface LoopedConnection {
  /** Resolves when it is over, with why. */
  readonly closed: Promise<unknown>;
  close(): Promise<void>;
}

/** Why a connection of this kind is over. */
type EndOf<Connection extends LoopedConnection> = Awaited<Connection["closed"]>;

/** What the loop works with. */
export type ConnectionLoopOptions<Connection extends LoopedConnection> = {
  /** Rejects where it could not; nothing is then left open. */
  readonly open: (signal: AbortSignal) => Promise<Connection>;
  readonly signal: AbortSignal;
  /** Why no other connection is to follow; `null`, and left out: it is. */
  readonly fatal?: (end: EndOf<Connection>) => GatewayError | null;
  readonly onLost: (end: EndOf<Connection>) => void;
  /** There is a connection again, after so many milliseconds without. */
  readonly onConnected: (gapMs: number, end: EndOf<Connection>) => void;
};

/** Tries after which the supervisor is left to wait. */
const mostTries = 4;
const firstDelayMs = 250;
const longestDelayMs = 4_000;
/** What lived this long was well: a connection that dies sooner counts as a failed try. */
const stableAfterMs = 30_000;
/** A rate limit up to this long is waited for here. */
const longestWaitMs = 5_000;

/**
 * How long to wait before the next try, milliseconds; `null`: not here. Pure; `random` is 0 to 1. The first try after a
 * healthy connection is immediate.
 */
export function reconnectDelay(failures: number, error: GatewayError | null, random: number): number | null {
  if (failures > mostTries) return null;
  if (error !== null && error.retry.kind === "never") return null;
  if (error !== null && error.retry.kind === "after")
    return error.retry.delayMs <= longestWaitMs ? error.retry.delayMs : null;
  if (failures === 0) return 0;
  const ceilingMs = Math.min(longestDelayMs, firstDelayMs * 2 ** failures);
  return Math.round(ceilingMs / 2 + (random * ceilingMs) / 2);
}

/** Owner of the one connection. */
export class ConnectionLoop<Connection extends LoopedConnection> {
  /** Settles when there is no connection any more: resolved after `stop()`, rejected with why otherwise. */
  readonly closed: Promise<void>;
  readonly #options: ConnectionLoopOptions<Connection>;
  readonly #ended = new AbortController();
  readonly #signal: AbortSignal;
  #connection: Connection;
  #openedAtMs = performance.now();

  private constructor(options: ConnectionLoopOptions<Connection>, connection: Connection) {
    this.#options = options;
    this.#connection = connection;
    this.#signal = AbortSignal.any([options.signal, this.#ended.signal]);
    this.closed = this.#run();
    // Whoever does not watch it must not be ended by it.
    this.closed.catch(() => {});
  }

  /**
   * Opens the first connection; `signal`: for that one, where it has another.
   * @throws {GatewayError} what `open` rejects with: the first try has no second one.
   */
  static async start<Connection extends LoopedConnection>(
    options: ConnectionLoopOptions<Connection>,
    signal: AbortSignal = options.signal,
  ): Promise<ConnectionLoop<Connection>> {
    return new ConnectionLoop(options, await options.open(signal));
  }

  /** The present connection, or the last there was. */
  get connection(): Connection {
    return this.#connection;
  }

  /** Closes the connection and opens no other. */
  async stop(): Promise<void> {
    this.#ended.abort(new GatewayError("adapter_unavailable", "The adapter is stopping"));
    await this.#connection.close();
    await this.closed.catch(() => {});
  }

  async #run(): Promise<void> {
    let failures = 0;
    for (;;) {
      const end = (await this.#connection.closed) as EndOf<Connection>;
      if (this.#signal.aborted) return;
      const fatal = this.#options.fatal?.(end) ?? null;
      if (fatal !== null) throw fatal;
      const goneAtMs = performance.now();
      failures = goneAtMs - this.#openedAtMs >= stableAfterMs ? 0 : failures + 1;
      this.#options.onLost(end);
      const connection = await this.#reopen(failures);
      if (connection === null) return;
      this.#connection = connection;
      this.#openedAtMs = performance.now();
      this.#options.onConnected(this.#openedAtMs - goneAtMs, end);
    }
  }

  /** `null`: stopped meanwhile. */
  async #reopen(failuresBefore: number): Promise<Connection | null> {
    let failures = failuresBefore;
    let error: GatewayError | null = null;
    for (;;) {
      const delayMs = reconnectDelay(failures, error, Math.random());
      if (delayMs === null)
        throw error ?? new GatewayError("platform_unavailable", "Cannot stay connected: connections die at once");
      try {
        if (delayMs > 0) await sleep(delayMs, this.#signal);
        const connection = await this.#options.open(this.#signal);
        if (!this.#signal.aborted) return connection;
        await connection.close();
        return null;
      } catch (reason) {
        if (this.#signal.aborted) return null;
        error = GatewayError.from(reason);
        failures += 1;
      }
    }
  }
}
