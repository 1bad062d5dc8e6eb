/** The connection to Discord's gateway: discord.js keeps and resumes it, this bounds what it tries and says what became of it. */
import { type APIGatewayBotInfo, GatewayIntentBits, type SessionInfo, SimpleShardingStrategy } from "discord.js";
import { GatewayError } from "../../src/contract/errors.ts";
import { after, orAborted, sleep, steadyNow } from "../../src/support/time.ts";
import { endsSession, fatalClose } from "./close-code.ts";
import type { DiscordApi } from "./api.ts";
import { loadWebSocketManager, type WebSocketManager } from "./discord-library.ts";
import { assertIdentifiesLeft, assertUsable } from "./gateway-information.ts";
import { payloadOf, type Payload } from "./payload.ts";
import { ShardAccess } from "./shard-access.ts";

/** What a connection works with. The callbacks must not throw. */
export type GatewayParts = {
  readonly api: DiscordApi;
  readonly token: string;
  /** The session as the library sees it: what it has received, whatever became of it. */
  readonly session: { get(): SessionInfo | null; set(session: SessionInfo | null): void };
  /** Leave to IDENTIFY. Rejects when the day's share is used up. */
  readonly acquireIdentify: () => Promise<void>;
  readonly onDispatch: (event: Payload) => void;
  /** `null`: the session was resumed; else READY's data. */
  readonly onLive: (ready: Payload | null) => void;
  readonly onLost: (reason: string) => void;
  /** A heartbeat was acknowledged. */
  readonly onHeartbeat: () => void;
  readonly onBadFrame: (reason: unknown) => void;
};

const intents =
  GatewayIntentBits.Guilds |
  GatewayIntentBits.GuildMessages |
  GatewayIntentBits.GuildMessageReactions |
  GatewayIntentBits.DirectMessages |
  GatewayIntentBits.DirectMessageReactions |
  GatewayIntentBits.MessageContent;

/** From the first try to READY or RESUMED, milliseconds; the library has no such limit. */
const liveDeadlineMs = 18_000;
/** Connections in a row that came to nothing. The library would try every 500 ms for ever. */
const mostFailures = 4;
/** Losses of a live connection within {@link lossWindowMs}. */
const mostLosses = 6;
const lossWindowMs = 60_000;
/** A closing handshake that a dead peer never answers. */
const closeDeadlineMs = 1_500;
/** Two IDENTIFYs within this are refused. */
const identifyPeriodMs = 5_000;

/** One generation's connection. */
export class Gateway {
  readonly #parts: GatewayParts;
  readonly #closed = Promise.withResolvers<void>();
  readonly #over = new AbortController();
  #shard: ShardAccess | null = null;
  #information: APIGatewayBotInfo | null = null;
  #live = Promise.withResolvers<void>();
  #isLive = false;
  #hasHello = false;
  #failures = 0;
  #losses: readonly number[] = [];
  #deadline: Disposable | null = null;
  #identifiedAtMs = Number.NEGATIVE_INFINITY;

  constructor(parts: GatewayParts) {
    this.#parts = parts;
    this.#live.promise.catch(() => {});
    this.#closed.promise.catch(() => {});
  }

  /** Rejects with what ended the connection for good; resolves after {@link Gateway.stop}. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  get isLive(): boolean {
    return this.#isLive;
  }

  /** Resolves when the session is ready or resumed. @throws {GatewayError} why it is not. */
  async connect(): Promise<void> {
    const { api, token, session } = this.#parts;
    let strategy: SimpleShardingStrategy | null = null;
    const manager = new (loadWebSocketManager())({
      token,
      intents,
      rest: api.rest,
      shardCount: 1,
      handshakeTimeout: 5_000,
      helloTimeout: 8_000,
      readyTimeout: 10_000,
      buildStrategy: (owner) => (strategy = new SimpleShardingStrategy(owner)),
      buildIdentifyThrottler: async () => ({ waitForIdentify: (_shard, signal) => this.#waitForIdentify(signal) }),
      // A shard between two tries cannot be told to stop; this is asked for before each of them.
      retrieveSessionInfo: () => (this.#over.signal.aborted ? new Promise<never>(() => {}) : this.#sessionFor()),
      updateSessionInfo: (_shard, info) => {
        if (info !== null) session.set(info);
        else if (this.#hasHello && !this.#over.signal.aborted) session.set(null);
      },
    });
    this.#listen(manager);
    this.#startDeadline();
    const information = await api.guard("find Discord's gateway", () =>
      orAborted(manager.fetchGatewayInformation(), this.#over.signal),
    );
    assertUsable(information);
    this.#information = information;
    await manager.updateShardCount(1);
    if (strategy === null) throw new GatewayError("internal", "Cannot connect: discord.js has built no shard");
    this.#connectShard(strategy);
    await this.#live.promise;
  }

  /** Ends it at once. The session stays resumable, since Discord hears no goodbye. Twice is harmless. */
  stop(): void {
    this.#end(new GatewayError("adapter_unavailable", "Cannot go on: the adapter is stopping"));
    this.#closed.resolve();
  }

  /** Ends it for `error`. The first reason counts. */
  fail(error: GatewayError): void {
    this.#closed.reject(error);
    this.#end(error);
  }

  #connectShard(strategy: SimpleShardingStrategy): void {
    const shard = new ShardAccess(strategy);
    this.#shard = shard;
    shard.guard((reason) => {
      this.#parts.onBadFrame(reason);
      shard.terminator()();
    });
    // Its promise tells of the first try alone; the events tell of all.
    strategy.connect().catch(() => {});
  }

  #listen(manager: WebSocketManager): void {
    // The names are discord.js' own, whose list of them is hidden behind another of the same name.
    manager.on("hello", () => (this.#hasHello = true));
    manager.on("ready", ({ data }: { readonly data: unknown }) => this.#onLive(payloadOf(data) ?? {}));
    manager.on("resumed", () => this.#onLive(null));
    manager.on("heartbeat", () => this.#parts.onHeartbeat());
    manager.on("dispatch", ({ data }: { readonly data: unknown }) => {
      const event = payloadOf(data);
      if (event !== null) this.#parts.onDispatch(event);
    });
    manager.on("closed", ({ code }: { readonly code: number }) => this.#onClosed(code));
    // An `error` without a listener is thrown; what it is about shows in `closed`.
    manager.on("error", () => {});
    manager.on("debug", ({ message }: { readonly message: string }) => this.#onDebug(message));
  }

  #onLive(ready: Payload | null): void {
    if (this.#over.signal.aborted) return;
    this.#isLive = true;
    this.#failures = 0;
    this.#deadline?.[Symbol.dispose]();
    this.#parts.onLive(ready);
    this.#live.resolve();
  }

  #onClosed(code: number): void {
    this.#hasHello = false;
    if (this.#over.signal.aborted) return;
    const fatal = fatalClose(code);
    if (fatal !== null) {
      this.fail(fatal);
      return;
    }
    if (endsSession(code)) this.#parts.session.set(null);
    if (!this.#isLive) {
      this.#failures += 1;
      if (this.#failures >= mostFailures) this.fail(unreachable(`${mostFailures} connections in a row were lost`));
      return;
    }
    this.#isLive = false;
    const nowMs = steadyNow();
    this.#losses = [...this.#losses.filter((atMs) => nowMs - atMs < lossWindowMs), nowMs];
    if (this.#losses.length > mostLosses) {
      this.fail(unreachable(`the connection was lost ${this.#losses.length} times in a minute`));
      return;
    }
    this.#startDeadline();
    this.#parts.onLost(`the gateway closed the connection (${code})`);
  }

  #onDebug(message: string): void {
    // A dead peer never answers the goodbye that the library waits for.
    if (message.startsWith("Destroying shard")) after(closeDeadlineMs, this.#shard?.terminator() ?? (() => {}));
    // Refused and told to try again, it does so at once, and again.
    if (message.startsWith("Invalid session; will attempt to resume: true")) {
      this.#failures += 1;
      if (this.#failures >= mostFailures) this.fail(unreachable("the session could not be resumed"));
    }
  }

  /** Where the place to resume at cannot be reached, the common address may know the session too. */
  #sessionFor(): SessionInfo | null {
    const session = this.#parts.session.get();
    if (session === null || this.#information === null || this.#failures < 2) return session;
    return { ...session, resumeURL: this.#information.url };
  }

  /** Never rejects while the shard lives: the library would then IDENTIFY all the same. */
  async #waitForIdentify(signal: AbortSignal): Promise<void> {
    const over = AbortSignal.any([signal, this.#over.signal]);
    await sleep(Math.max(0, this.#identifiedAtMs + identifyPeriodMs - steadyNow()), over);
    try {
      assertIdentifiesLeft(this.#information);
      await this.#parts.acquireIdentify();
    } catch (reason) {
      this.fail(GatewayError.from(reason));
    }
    if (over.aborted) await orAborted(new Promise<never>(() => {}), signal);
    this.#identifiedAtMs = steadyNow();
  }

  #startDeadline(): void {
    this.#deadline?.[Symbol.dispose]();
    this.#deadline = after(liveDeadlineMs, () =>
      this.fail(unreachable(`the gateway was not ready within ${liveDeadlineMs / 1000} s`)),
    );
  }

  #end(error: GatewayError): void {
    if (this.#over.signal.aborted) return;
    this.#isLive = false;
    this.#over.abort(error);
    this.#live.reject(error);
    this.#deadline?.[Symbol.dispose]();
    this.#shard?.terminator()();
  }
}

function unreachable(found: string): GatewayError {
  return new GatewayError("platform_unavailable", `Cannot stay connected to Discord: ${found}`);
}
