/** Twitch chat, by tmi.js: it hears the channels it is told to join, and answers there. */
import type { AdapterContext, AdapterModule, Policy, RunningAdapter, SendRequest } from "../../src/contract/adapter.ts";
import { capabilitiesOf } from "../../src/contract/capabilities.ts";
import { GatewayError } from "../../src/contract/errors.ts";
import type { Response } from "../../src/contract/response.ts";
import type { TwitchSettings } from "../../src/contract/settings.ts";
import { PartProgress } from "../../src/support/part-progress.ts";
import { deadline } from "../../src/support/deadline.ts";
import { Redactor } from "../../src/support/redact.ts";
import { orAborted, steadyNow } from "../../src/support/time.ts";
import { Attendance } from "./attendance.ts";
import { loginOf } from "./chat-line.ts";
import { chatParts } from "./chat-text.ts";
import { Credentials } from "./credentials.ts";
import { IdServer } from "./id-server.ts";
import { TwitchSession } from "./session.ts";

/** Below the 20 s that a start may take. */
const startDeadlineMs = 18_000;
/** Below the 30 s that the outbox gives a send. */
const sendTimeoutMs = 20_000;

const twitch: AdapterModule<TwitchSettings> = {
  platform: "twitch",
  capabilities: capabilitiesOf("twitch"),
  // It asks whenever it was quiet for 20 s, and cuts what does not answer for another 20.
  maxSilenceMs: 60_000,
  start,
};
export default twitch;

async function start(context: AdapterContext<TwitchSettings>): Promise<RunningAdapter> {
  const settings = normalised(context.settings);
  const resources = new AsyncDisposableStack();
  const error = new GatewayError("timeout", `Cannot start: Twitch did not answer within ${startDeadlineMs} ms`);
  using late = deadline(startDeadlineMs, { error, signal: context.signal });
  const { signal } = late;
  try {
    const secrets = new Redactor();
    const learn = (values: readonly string[]): void => secrets.set("twitch", values);
    const redact = (text: string): string => secrets.redact(text);
    learn([settings.oauthToken, settings.clientSecret, settings.refreshToken]);
    // A token for somebody else's chat is shown to nobody at Twitch.
    const ids = settings.idUrl === "" && settings.ircUrl !== "" ? null : new IdServer(settings.idUrl, redact);
    const parts = { settings, keeper: context.token, ids, learn, log: context.log };
    const credentials = resources.use(await orAborted(Credentials.open(parts), signal));
    await credentials.check(signal);
    const attendance = resources.use(await Attendance.load(context));
    const ownContext = { ...context, settings };
    const session = resources.use(
      await TwitchSession.start({ context: ownContext, credentials, attendance, redact }, signal),
    );
    credentials.watch();
    if (settings.channels.length === 0) context.log.warn("twitch-without-channels");
    return new TwitchAdapter({ session, credentials, resources });
  } catch (reason) {
    await resources.disposeAsync();
    signal.throwIfAborted();
    throw GatewayError.from(reason);
  }
}

/** One bot, running. */
class TwitchAdapter implements RunningAdapter {
  readonly closed: Promise<void>;
  readonly #session: TwitchSession;
  readonly #resources: AsyncDisposableStack;
  readonly #progress = new PartProgress();
  readonly #ending = new AbortController();
  #stopped: Promise<void> | null = null;

  constructor(parts: {
    readonly session: TwitchSession;
    readonly credentials: Credentials;
    readonly resources: AsyncDisposableStack;
  }) {
    this.#session = parts.session;
    this.#resources = parts.resources;
    this.closed = Promise.race([parts.session.closed, parts.credentials.failed]);
  }

  async send(request: SendRequest): Promise<{ readonly platformMessageId: string | null }> {
    const { conversation, response, replyTo, idempotencyKey } = request;
    const parts = chatParts(textOf(response));
    if (parts.length === 0)
      throw new GatewayError(
        "message_rejected",
        "Cannot say it: nothing is left of the text, expected one in plain words",
      );
    const signal = AbortSignal.any([request.signal, this.#ending.signal]);
    const parentId = response.kind === "thread_reply" ? (replyTo?.["message_id"] ?? null) : null;
    const saying = {
      channel: loginOf(conversation) ?? conversation,
      parentId,
      deadlineAtMs: steadyNow() + sendTimeoutMs,
      signal,
    };
    const steps = parts.map((text) => () => this.#session.speaker.say({ ...saying, text }));
    const id = await this.#progress.run(idempotencyKey, steps);
    return { platformMessageId: id === "" ? null : id };
  }

  async updatePolicy(policy: Policy): Promise<void> {
    this.#session.policy = policy;
  }

  async probe(): Promise<void> {
    await this.#session.probe();
  }

  stop(): Promise<void> {
    this.#ending.abort(new GatewayError("adapter_unavailable", "The adapter is stopping"));
    this.#stopped ??= this.#resources.disposeAsync();
    return this.#stopped;
  }
}

/** What the outbox hands over: everything else is text by then, or refused. */
function textOf(response: Response): string {
  if (response.kind === "text" || response.kind === "thread_reply") return response.text;
  throw new GatewayError("unsupported_response", `Cannot send ${response.kind}: chat has no such thing`);
}

/** Logins as Twitch writes them: what is no login would be a line of its own in chat's protocol. */
function normalised(settings: TwitchSettings): TwitchSettings {
  const username = loginOf(settings.username);
  if (username === null)
    throw new GatewayError(
      "config_invalid",
      "Cannot log in to Twitch: username is no login, expected a name of a-z, 0-9 and _",
    );
  const channels = settings.channels.map((channel) => {
    const login = loginOf(channel);
    if (login !== null) return login;
    const message = `Cannot join ${JSON.stringify(channel.slice(0, 100))}: it is no login, expected a name of a-z, 0-9 and _`;
    throw new GatewayError("config_invalid", message);
  });
  return { ...settings, username, channels: [...new Set(channels)] };
}
