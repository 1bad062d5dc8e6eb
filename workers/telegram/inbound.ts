/** The way in, whichever it is: who the bot is, what an earlier life left, then polls or a webhook. */
import type { AdapterContext, Policy } from "../../src/contract/adapter.ts";
import { GatewayError } from "../../src/contract/errors.ts";
import type { TelegramSettings } from "../../src/contract/settings.ts";
import { addressText, HttpListener } from "../../src/support/http-listener.ts";
import type { TelegramApi } from "./api.ts";
import { TelegramError } from "./api-error.ts";
import type { ChatMigrations } from "./chat-migrations.ts";
import type { BotAccount } from "./mentions.ts";
import { PollLoop } from "./poll-loop.ts";
import { conflictError } from "./poll-recovery.ts";
import { type ResumeState, resumeStateOf } from "./resume-state.ts";
import type { TopicMemory } from "./topic-memory.ts";
import { allowedUpdates } from "./translate-update.ts";
import { UpdateIntake } from "./update-intake.ts";
import { WebhookEndpoint } from "./webhook-endpoint.ts";
import { WebhookWatch } from "./webhook-watch.ts";

/** One start may not hang on one call. */
const startCallDeadlineMs = 8_000;
const drainMs = 1_000;
/** Telegram's own form of a secret token. */
const secretForm = /^[\w-]{1,256}$/u;

/** What opening works with. `signal` bounds the start. */
export type InboundParts = {
  readonly context: AdapterContext<TelegramSettings>;
  readonly api: TelegramApi;
  readonly migrations: ChatMigrations;
  readonly topics: TopicMemory;
  readonly signal: AbortSignal;
};

/** An open way in. */
export interface Inbound {
  /** Settles when it is over; rejects with why. */
  readonly closed: Promise<void>;
  policy: Policy;
  hasMenu: boolean;
  stop(): Promise<void>;
}

/** @throws {GatewayError} `unauthorized`, `conflict`, `timeout` and whatever else keeps it from opening. */
export async function openInbound(parts: InboundParts): Promise<Inbound> {
  const { context, api, migrations, topics, signal } = parts;
  const mode = context.settings.webhookUrl === "" ? "polling" : "webhook";
  const me = await api.call("getMe", null, { signal, deadlineMs: startCallDeadlineMs });
  const bot: BotAccount = { id: me.id, username: me.username };
  const stored = resumeStateOf(await context.resume.load(), bot.id, Date.now());
  const fresh: ResumeState = { botId: bot.id, mode, offset: null, atMs: 0, held: [], hasMenu: false };
  const state = { ...(stored ?? fresh), mode } as const;
  const intake = new UpdateIntake({ context, api, bot, migrations, topics, policy: context.policy, state });
  const open = mode === "polling" ? openPolls : openWebhook;
  try {
    const source = await open({ ...parts, intake, wasPolling: stored?.mode === "polling" });
    // Not waited for: a journal that is away must not keep the start from ending, and the first batch stores it as well.
    if (stored?.mode !== mode) intake.store().catch(() => {});
    return new OpenInbound(intake, source, state.hasMenu);
  } catch (reason) {
    await intake.stop();
    throw reason;
  }
}

type Source = { readonly closed: Promise<void>; stop(): Promise<void> };
type SourceParts = InboundParts & {
  readonly intake: UpdateIntake;
  /** The last life polled: a webhook that is set now is somebody else's. */
  readonly wasPolling: boolean;
};

async function openPolls(parts: SourceParts): Promise<Source> {
  const { context, api, intake, signal } = parts;
  return PollLoop.start({ context, api, intake, leaveWebhook: (leaving) => leaveWebhook(parts, leaving) }, signal);
}

/** Telegram gives nobody updates who polls while a webhook is set. What waits for it stays. */
async function leaveWebhook({ context, api, wasPolling }: SourceParts, signal: AbortSignal): Promise<void> {
  const options = { signal, deadlineMs: startCallDeadlineMs };
  const { url = "" } = await api.call("getWebhookInfo", null, options);
  if (url === "") return;
  // Taking it away from whoever has set it since would only make them set it again.
  if (wasPolling) throw conflictError(new GatewayError("conflict", "a webhook is set"));
  context.log.info("telegram-webhook-removed", { host: URL.parse(url)?.host ?? "" });
  await api.call("deleteWebhook", { drop_pending_updates: false }, options);
}

async function openWebhook({ context, api, intake, signal }: SourceParts): Promise<Source> {
  const { webhookUrl: url, webhookSecret: secret, port, bind } = context.settings;
  if (!secretForm.test(secret))
    throw new GatewayError(
      "config_invalid",
      "Cannot set the webhook: webhook_secret is not 1 to 256 of A-Z a-z 0-9 _ -",
    );
  const endpoint = new WebhookEndpoint({ context, intake, secret });
  const listener = await HttpListener.start({
    port,
    bind,
    onRequest: (request, response) => endpoint.handle(request, response),
    onError: (reason) => context.log.warn("telegram-listener-error", { error: reason.message }),
  });
  context.log.info("telegram-listening", { address: addressText(listener) });
  try {
    await setWebhook(api, { url, secret, signal });
  } catch (reason) {
    await listener.stop(0);
    throw reason;
  }
  const watch = new WebhookWatch({ context, api, url });
  const closed = Promise.race([listener.closed, watch.closed]);
  closed.catch(() => {});
  return {
    closed,
    async stop() {
      await watch.stop();
      await listener.stop(drainMs);
    },
  };
}

async function setWebhook(
  api: TelegramApi,
  { url, secret, signal }: { readonly url: string; readonly secret: string; readonly signal: AbortSignal },
): Promise<void> {
  try {
    await api.call(
      "setWebhook",
      { url, secret_token: secret, allowed_updates: allowedUpdates, drop_pending_updates: false },
      { signal, deadlineMs: startCallDeadlineMs },
    );
  } catch (reason) {
    if (!(reason instanceof TelegramError) || reason.status !== 400) throw reason;
    throw new GatewayError("config_invalid", `Cannot set the webhook: ${reason.description}`, {
      userAction: "Set webhook_url to a public https address on port 443, 80, 88 or 8443",
    });
  }
}

class OpenInbound implements Inbound {
  readonly closed: Promise<void>;
  readonly #intake: UpdateIntake;
  readonly #source: Source;
  #hasMenu: boolean;

  constructor(intake: UpdateIntake, source: Source, hasMenu: boolean) {
    this.closed = source.closed;
    this.#intake = intake;
    this.#source = source;
    this.#hasMenu = hasMenu;
  }

  set policy(policy: Policy) {
    this.#intake.policy = policy;
  }

  get hasMenu(): boolean {
    return this.#hasMenu;
  }

  set hasMenu(hasMenu: boolean) {
    if (this.#hasMenu === hasMenu) return;
    this.#hasMenu = hasMenu;
    this.#intake.hasMenu = hasMenu;
  }

  async stop(): Promise<void> {
    await this.#source.stop();
    await this.#intake.stop();
  }
}
