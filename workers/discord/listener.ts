/** The half that hears: the gateway's events on their way to consumers. */
import { Routes } from "discord.js";
import type { AdapterContext, Policy } from "../../src/contract/adapter.ts";
import type { DiscordSettings } from "../../src/contract/settings.ts";
import type { DiscordApi } from "./api.ts";
import { Directory, type Channel } from "./directory.ts";
import { Events } from "./events.ts";
import { Gateway } from "./gateway.ts";
import { Inbox } from "./inbox.ts";
import { Interactions } from "./interactions.ts";
import { MinuteLog } from "../../src/support/minute-log.ts";
import { childOf, idOf, textOf, type Payload } from "./payload.ts";
import { Recovery } from "./recovery.ts";
import type { ResumeKeeper } from "./resume-keeper.ts";

/** What a listener works with. */
export type ListenerParts = {
  readonly api: DiscordApi;
  readonly context: AdapterContext<DiscordSettings>;
  readonly keeper: ResumeKeeper;
  /** An earlier generation has listened: what came since is missing until it is recovered. */
  readonly isContinued: boolean;
  readonly policy: () => Policy;
  readonly signal: AbortSignal;
  readonly onError: (what: string, reason: unknown) => void;
};

/** One generation's. Disposing ends what it waits for; the gateway ends by {@link Gateway.stop}. */
export class Listener implements Disposable {
  readonly directory: Directory;
  readonly interactions: Interactions;
  readonly gateway: Gateway;
  readonly #parts: ListenerParts;
  readonly #events: Events;
  readonly #inbox: Inbox;
  readonly #recovery: Recovery;
  readonly #dropped: MinuteLog;
  /** The next session that begins anew leaves a gap. */
  #isContinued: boolean;
  #isLost = false;

  constructor(parts: ListenerParts) {
    const { api, context, keeper, policy, signal, onError } = parts;
    this.#parts = parts;
    this.#isContinued = parts.isContinued;
    this.#dropped = new MinuteLog(({ kind, count }) => context.log.warn("discord-message-dropped", { kind, count }));
    this.directory = createDirectory(api);
    for (const [channelId, userId] of keeper.directChannels) this.directory.observeDirect(channelId, userId);
    this.interactions = new Interactions(api, (reason) => onError("interaction", reason));
    const { directory, interactions } = this;
    this.#events = new Events({ log: context.log, directory, interactions, keeper, policy });
    this.#inbox = this.#createInbox();
    this.#recovery = new Recovery({
      api,
      directory,
      keeper,
      inbox: this.#inbox,
      context,
      signal,
      isWanted: context.settings.catchUp,
      accept: (messages, channel) => this.#acceptPast(messages, channel),
    });
    this.gateway = this.#createGateway();
  }

  [Symbol.dispose](): void {
    this.interactions[Symbol.dispose]();
  }

  #createInbox(): Inbox {
    const { context, keeper, signal, onError } = this.#parts;
    return new Inbox({
      translate: (event) => this.#events.translate(event),
      emit: (messages) => context.emit(messages),
      onMark: (mark) => keeper.accept(mark),
      onMissed: ({ type }) => {
        context.missed({ messages: 1 });
        this.#dropped.note(type);
      },
      onRefused: ({ type }, reason) => {
        this.#events.ignore(type);
        onError("event", reason);
      },
      signal,
    });
  }

  #createGateway(): Gateway {
    const { api, context, keeper } = this.#parts;
    return new Gateway({
      api,
      token: context.settings.token,
      session: {
        get: () => keeper.received,
        set: (session) => {
          keeper.received = session;
        },
      },
      acquireIdentify: () => context.budget.acquire("identify"),
      onDispatch: (dispatch) => this.#onDispatch(dispatch),
      onLive: (ready) => this.#onLive(ready),
      onLost: (reason) => {
        this.#isLost = true;
        context.reconnecting(reason);
      },
      onHeartbeat: () => {
        context.frame();
        this.#inbox.pass(keeper.markNow(null));
      },
      onBadFrame: () => this.#events.ignore("malformed frame"),
    });
  }

  #onDispatch(dispatch: Payload): void {
    this.#parts.context.frame();
    this.#events.receive(dispatch, this.#inbox);
    const type = textOf(dispatch, "t");
    if (type !== "GUILD_CREATE" && type !== "GUILD_DELETE") return;
    this.#recovery.sawGuild(idOf(childOf(dispatch, "d") ?? {}, "id") ?? "");
  }

  #onLive(ready: Payload | null): void {
    const { context, keeper } = this.#parts;
    if (ready !== null) {
      keeper.applicationId = idOf(childOf(ready, "application") ?? {}, "id") ?? keeper.applicationId;
      if (this.#isContinued) this.#recovery.begin(ready, keeper.aliveAtMs);
    }
    this.#isContinued = true;
    context.frame();
    if (this.#isLost) context.connected();
    this.#isLost = false;
  }

  async #acceptPast(messages: readonly Payload[], channel: Channel): Promise<void> {
    for (const data of messages)
      await this.#inbox.accept({ type: "history", data: null }, await this.#events.message(data, channel));
  }
}

function createDirectory(api: DiscordApi): Directory {
  const ask = async (route: `/${string}`, what: string): Promise<Payload | null> => {
    try {
      return await api.call({ method: "GET", route, what });
    } catch {
      // A name is worth no more than one call: without it the message is just as good.
      return null;
    }
  };
  return new Directory({
    channel: (id) => ask(Routes.channel(id), "look up a channel"),
    guild: (id) => ask(Routes.guild(id), "look up a guild"),
  });
}
