/** One bot's connection: one half hears, the other one speaks, and both go on where an earlier generation was. */
import { Routes } from "discord.js";
import type {
  AdapterContext,
  DoubtfulSend,
  Policy,
  RunningAdapter,
  SendRates,
  SendRequest,
} from "../../src/contract/adapter.ts";
import { GatewayError } from "../../src/contract/errors.ts";
import type { HistoryMessage } from "../../src/contract/message.ts";
import type { DiscordSettings } from "../../src/contract/settings.ts";
import { orAborted } from "../../src/support/time.ts";
import { DiscordApi } from "./api.ts";
import { fetchAttachment } from "./attachments.ts";
import { Commands } from "./commands.ts";
import { Listener } from "./listener.ts";
import { idOf, isSnowflake } from "./payload.ts";
import { Places } from "./places.ts";
import { Responses } from "./responses.ts";
import { sendRatesAt } from "./send-rates.ts";
import { ResumeKeeper } from "./resume-keeper.ts";
import { parseResumeState } from "./resume-state.ts";
import { toHistoryMessage } from "./translate-message.ts";

type Parts = {
  readonly keeper: ResumeKeeper;
  readonly listener: Listener;
  readonly places: Places;
  readonly responses: Responses;
  readonly commands: Commands;
};

const longestHistory = 100;

/** One generation of the adapter. */
export class DiscordConnection implements RunningAdapter {
  readonly sendRates: SendRates;
  readonly #context: AdapterContext<DiscordSettings>;
  readonly #api: DiscordApi;
  readonly #ended = new AbortController();
  readonly #closed = Promise.withResolvers<void>();
  #parts: Parts | null = null;
  #policy: Policy;

  constructor(context: AdapterContext<DiscordSettings>) {
    this.#context = context;
    this.#policy = context.policy;
    this.#closed.promise.catch(() => {});
    const { token, apiUrl } = context.settings;
    this.sendRates = sendRatesAt(apiUrl);
    this.#api = new DiscordApi({
      token,
      apiUrl,
      // The library forgets a refused token, so that nothing could be said any more.
      onUnauthorized: (error) => this.#parts?.listener.gateway.fail(error),
    });
  }

  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /** Resolves when the session is ready or resumed. @throws {GatewayError} why not; the signal's reason. */
  async start(signal: AbortSignal): Promise<void> {
    const what = "find out who the bot is";
    const self = await this.#api.call({ method: "GET", route: Routes.user("@me"), what, signal });
    const userId = idOf(self, "id");
    if (userId === null) throw new GatewayError("platform_unavailable", `Cannot ${what}: the answer has no id`);
    const state = parseResumeState(await orAborted(this.#context.resume.load(), signal), userId);
    const keeper = new ResumeKeeper({
      userId,
      state,
      store: (value) => this.#context.resume.store(value),
      onError: (reason) => this.#onError("resume state", reason),
    });
    const parts = this.#build(keeper, state !== null);
    this.#parts = parts;
    const { gateway } = parts.listener;
    gateway.closed.then(this.#closed.resolve, this.#closed.reject);
    await orAborted(gateway.connect(), signal);
    parts.commands.sync(this.#policy);
  }

  async send(request: SendRequest): Promise<{ readonly platformMessageId: string | null }> {
    return this.#running().responses.send(request);
  }

  async completeSend(request: DoubtfulSend): Promise<{ readonly platformMessageId: string | null }> {
    return this.#running().responses.complete(request);
  }

  async setStatus(request: Parameters<NonNullable<RunningAdapter["setStatus"]>>[0]): Promise<void> {
    this.#running().responses.setStatus(request);
  }

  async history(request: Parameters<NonNullable<RunningAdapter["history"]>>[0]): Promise<readonly HistoryMessage[]> {
    const { conversation, limit, before } = request;
    const channelId = await this.#running().places.channelOf(conversation);
    const query = new URLSearchParams({ limit: String(Math.min(Math.max(1, limit), longestHistory)) });
    if (before !== null && isSnowflake(before)) query.set("before", before);
    const route = Routes.channelMessages(channelId);
    const found = await this.#api.list({ method: "GET", route, what: "read the history", query });
    return found.toReversed().map(toHistoryMessage);
  }

  attachment(
    request: Parameters<NonNullable<RunningAdapter["attachment"]>>[0],
  ): Promise<{ readonly sizeBytes: number }> {
    return fetchAttachment(this.#api, { ...request, apiUrl: this.#context.settings.apiUrl });
  }

  async updatePolicy(policy: Policy): Promise<void> {
    this.#policy = policy;
    this.#parts?.commands.sync(policy);
  }

  /** The token is good, Discord answers, and events reach us. */
  async probe(): Promise<void> {
    await this.#api.call({ method: "GET", route: Routes.user("@me"), what: "reach Discord" });
    if (!this.#running().listener.gateway.isLive)
      throw new GatewayError("platform_unavailable", "Cannot hear Discord: the gateway is not connected");
  }

  /** At once. What is under way is either known by its nonce or sent again by Discord. */
  async stop(): Promise<void> {
    this.#ended.abort(new GatewayError("adapter_unavailable", "The adapter is stopping"));
    const parts = this.#parts;
    parts?.listener.gateway.stop();
    parts?.responses[Symbol.dispose]();
    parts?.listener[Symbol.dispose]();
    this.#api[Symbol.dispose]();
    this.#closed.resolve();
    if (parts === null) return;
    parts.keeper[Symbol.dispose]();
    // Nobody waits for it: what it does not say in time is only sent again to the next generation.
    void parts.keeper.flush();
  }

  #running(): Parts {
    if (this.#parts !== null) return this.#parts;
    throw new GatewayError("adapter_unavailable", "Cannot use the adapter: it has not started");
  }

  #build(keeper: ResumeKeeper, isContinued: boolean): Parts {
    const context = this.#context;
    const api = this.#api;
    const signal = AbortSignal.any([this.#ended.signal, context.signal]);
    const onError = (what: string, reason: unknown): void => this.#onError(what, reason);
    const policy = (): Policy => this.#policy;
    const listener = new Listener({ api, context, keeper, isContinued, policy, signal, onError });
    const { directory, interactions } = listener;
    const places = new Places(api, directory);
    return {
      keeper,
      listener,
      places,
      responses: new Responses({ api, directory, places, interactions, userId: keeper.userId, onError }),
      commands: new Commands({ api, keeper, log: context.log, signal }),
    };
  }

  #onError(what: string, reason: unknown): void {
    if (this.#ended.signal.aborted) return;
    const { code, message } = GatewayError.from(reason);
    this.#context.log.warn("discord-call-failed", { what, code, message });
  }
}
