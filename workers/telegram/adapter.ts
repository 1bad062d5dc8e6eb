/** Telegram: long polling, or a webhook where one is configured. */
import type { AdapterContext, AdapterModule, Policy, RunningAdapter, SendRates } from "../../src/contract/adapter.ts";
import { capabilitiesOf } from "../../src/contract/capabilities.ts";
import { GatewayError } from "../../src/contract/errors.ts";
import type { TelegramSettings } from "../../src/contract/settings.ts";
import { after } from "../../src/support/time.ts";
import { TypingIndicators } from "../../src/support/typing-indicator.ts";
import { addressFields, parseAddress } from "./address.ts";
import { TelegramApi } from "./api.ts";
import { ChatMigrations } from "./chat-migrations.ts";
import { syncMenu } from "./command-menu.ts";
import { fetchAttachment } from "./fetch-attachment.ts";
import { type Inbound, openInbound } from "./inbound.ts";
import { Responder } from "./responder.ts";
import { sendRatesAt } from "./send-rates.ts";
import { TopicMemory } from "./topic-memory.ts";

/** Telegram shows it for five seconds. */
const typingPeriodMs = 4_000;
const longestTypingMs = 300_000;
/** Below the 20 s that a start may take. */
const startDeadlineMs = 18_000;

const telegram: AdapterModule<TelegramSettings> = {
  platform: "telegram",
  capabilities: capabilitiesOf("telegram"),
  // Four poll windows; a webhook is looked after more often than that.
  maxSilenceMs: 60_000,
  start,
};
export default telegram;

async function start(context: AdapterContext<TelegramSettings>): Promise<RunningAdapter> {
  const api = new TelegramApi(context.settings);
  const deadline = new AbortController();
  using _timer = after(startDeadlineMs, () => deadline.abort());
  const signal = AbortSignal.any([context.signal, deadline.signal]);
  try {
    const migrations = new ChatMigrations(context.log);
    const topics = new TopicMemory();
    const inbound = await openInbound({ context, api, migrations, topics, signal });
    return new TelegramAdapter({ context, api, migrations, topics, inbound });
  } catch (reason) {
    api[Symbol.dispose]();
    if (context.signal.aborted || !deadline.signal.aborted) throw GatewayError.from(reason);
    throw new GatewayError("timeout", `Cannot start: Telegram did not answer within ${startDeadlineMs} ms`);
  }
}

type AdapterParts = {
  readonly context: AdapterContext<TelegramSettings>;
  readonly api: TelegramApi;
  readonly migrations: ChatMigrations;
  readonly topics: TopicMemory;
  readonly inbound: Inbound;
};

/** One bot, running. */
class TelegramAdapter implements RunningAdapter {
  readonly closed: Promise<void>;
  readonly sendRates: SendRates;
  readonly #parts: AdapterParts;
  readonly #ending = new AbortController();
  readonly #responder: Responder;
  readonly #typing: TypingIndicators;
  #commands: Policy["commands"];
  #menu: Promise<void>;
  #stopped: Promise<void> | null = null;

  constructor(parts: AdapterParts) {
    this.#parts = parts;
    const { context, api, migrations, topics, inbound } = parts;
    this.closed = inbound.closed;
    this.sendRates = sendRatesAt(context.settings.apiUrl);
    const { signal } = this.#ending;
    this.#responder = new Responder({ api, migrations, topics, log: context.log, signal });
    this.#typing = new TypingIndicators({
      periodMs: typingPeriodMs,
      longestMs: longestTypingMs,
      show: (conversation, shown) => this.#showTyping(conversation, shown),
      onError: (reason) => context.log.debug("telegram-typing-not-shown", { error: GatewayError.from(reason).message }),
    });
    this.#commands = context.policy.commands;
    this.#menu = this.#syncMenu(inbound.hasMenu);
  }

  async send(
    request: Parameters<NonNullable<RunningAdapter["send"]>>[0],
  ): Promise<{ platformMessageId: string | null }> {
    const { conversation, response } = request;
    const platformMessageId = await this.#responder.send(request);
    // Whatever was typed is there now. A stream is still being written, and a reaction is no answer.
    if (!["stream_start", "stream_chunk", "reaction", "remove_reaction"].includes(response.kind))
      this.#typing.stop(conversation);
    return { platformMessageId };
  }

  async setStatus({ conversation, status }: Parameters<NonNullable<RunningAdapter["setStatus"]>>[0]): Promise<void> {
    parseAddress(conversation);
    if (status.kind === "stop_typing") this.#typing.stop(conversation);
    else this.#typing.start(conversation);
  }

  attachment(request: Parameters<typeof fetchAttachment>[1]): Promise<{ readonly sizeBytes: number }> {
    return fetchAttachment(this.#parts.api, request);
  }

  async updatePolicy(policy: Policy): Promise<void> {
    this.#parts.inbound.policy = policy;
    this.#commands = policy.commands;
    this.#menu = this.#menu.then(() => this.#syncMenu(this.#parts.inbound.hasMenu));
  }

  /** Credentials and the way to Telegram. Never getUpdates: a second poller would end the first. */
  async probe(): Promise<void> {
    await this.#parts.api.call("getMe", null, { deadlineMs: 10_000 });
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    const { inbound, api } = this.#parts;
    this.#ending.abort(new GatewayError("adapter_unavailable", "The adapter is stopping"));
    this.#typing[Symbol.dispose]();
    this.#responder[Symbol.dispose]();
    await inbound.stop();
    api[Symbol.dispose]();
    await this.#menu;
  }

  async #showTyping(conversation: string, signal: AbortSignal): Promise<void> {
    const { api, migrations } = this.#parts;
    const address = parseAddress(conversation);
    const place = addressFields({ ...address, chatId: migrations.resolve(address.chatId) });
    await api.call("sendChatAction", { ...place, action: "typing" }, { signal, deadlineMs: 4_000 });
  }

  /** Never rejects: a menu that is not there yet is set by the next start. */
  async #syncMenu(hasMenu: boolean): Promise<void> {
    const { api, inbound, context } = this.#parts;
    try {
      inbound.hasMenu = await syncMenu(api, this.#commands, { hasMenu, signal: this.#ending.signal });
    } catch (reason) {
      if (!this.#ending.signal.aborted)
        context.log.warn("telegram-menu-not-set", { error: GatewayError.from(reason).message });
    }
  }
}
