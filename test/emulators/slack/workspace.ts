/** One Slack workspace: its people, channels, messages and files, as Slack's own documents describe them. */

/** A JSON object of Slack's. */
export type Json = Record<string, unknown>;

/** One message; the members are Slack's. */
export type SlackMessage = Json & { ts: string; text: string; user?: string; thread_ts?: string };

/** A file and its bytes; `fields` is how Slack describes it. */
export type StoredFile = { readonly fields: Json; readonly bytes: Uint8Array };

type Channel = { readonly id: string; readonly name: string; messages: SlackMessage[] };

/** The bot and its workspace. */
export const botUser = "U0BOT";
export const botId = "B0BOT";
export const teamId = "T0TEAM";
export const aliceUser = "U0ALICE";

/** The state of a workspace. Bodies of events are handed to whoever delivers them. */
export class Workspace {
  readonly users = new Map<string, Json>([
    [aliceUser, userFields(aliceUser, "alice", "Alice")],
    ["U0BOB", userFields("U0BOB", "bob", "Bob")],
    [botUser, userFields(botUser, "bulkhead", "Bulkhead")],
  ]);
  readonly channels = new Map<string, Channel>([
    ["C0GENERAL", { id: "C0GENERAL", name: "general", messages: [] }],
    ["C0OTHER", { id: "C0OTHER", name: "other", messages: [] }],
    ["D0ALICE", { id: "D0ALICE", name: "", messages: [] }],
  ]);
  readonly files = new Map<string, StoredFile>();
  #lastTs = 0;
  #lastEventId = 0;

  /** A moment that no other message has. */
  nextTs(): string {
    this.#lastTs = Math.max(Math.floor(Date.now() * 1000), this.#lastTs + 1);
    return `${Math.floor(this.#lastTs / 1_000_000)}.${String(this.#lastTs % 1_000_000).padStart(6, "0")}`;
  }

  /** Puts a message into its channel. */
  add(channel: string, message: Omit<SlackMessage, "ts" | "type">): SlackMessage {
    // Spread loses what the index signature says of the rest.
    const added = { type: "message", ts: this.nextTs(), ...message } as unknown as SlackMessage;
    this.channelOf(channel)?.messages.push(added);
    const root = added.thread_ts === undefined ? undefined : this.find(channel, added.thread_ts);
    if (root !== undefined) {
      root.thread_ts = root.ts;
      root["reply_count"] = Number(root["reply_count"] ?? 0) + 1;
      root["latest_reply"] = added.ts;
    }
    return added;
  }

  channelOf(id: string): Channel | undefined {
    return this.channels.get(id);
  }

  find(channel: string, ts: string): SlackMessage | undefined {
    return this.channelOf(channel)?.messages.find((message) => message.ts === ts);
  }

  /** Takes a message out of its channel. */
  remove(channel: string, ts: string): void {
    const place = this.channelOf(channel);
    if (place !== undefined) place.messages = place.messages.filter((message) => message.ts !== ts);
  }

  /** The messages that stand in the channel itself. */
  rootsOf(channel: string): readonly SlackMessage[] {
    const messages = this.channelOf(channel)?.messages ?? [];
    return messages.filter(
      ({ thread_ts: thread, ts, subtype }) => thread === undefined || thread === ts || subtype === "thread_broadcast",
    );
  }

  /** A thread's first message and its replies. */
  threadOf(channel: string, ts: string): readonly SlackMessage[] {
    const messages = this.channelOf(channel)?.messages ?? [];
    return messages.filter((message) => message.ts === ts || message.thread_ts === ts);
  }

  /** What an app is sent about `event`. */
  eventBody(event: Json): Json {
    this.#lastEventId += 1;
    return {
      token: "verification-token",
      team_id: teamId,
      api_app_id: "A0APP",
      event,
      type: "event_callback",
      event_id: `Ev${this.#lastEventId}`,
      event_time: Math.floor(Date.now() / 1000),
      authorizations: [
        { enterprise_id: null, team_id: teamId, user_id: botUser, is_bot: true, is_enterprise_install: false },
      ],
    };
  }

  /** The events of a message that somebody wrote: a mention of the bot is told twice. */
  eventsOf(channel: string, message: SlackMessage): readonly Json[] {
    const event: Json = {
      ...message,
      type: "message",
      channel,
      event_ts: message.ts,
      channel_type: channel.startsWith("D") ? "im" : "channel",
      ...(message.thread_ts === undefined || message.thread_ts === message.ts
        ? {}
        : { parent_user_id: this.find(channel, message.thread_ts)?.user }),
    };
    const mention: Json = { ...event, type: "app_mention" };
    delete mention["channel_type"];
    delete mention["subtype"];
    const isMention = message.text.includes(`<@${botUser}>`) && !channel.startsWith("D");
    return isMention ? [event, mention] : [event];
  }
}

/** What Slack writes for `text` that somebody typed. */
export function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll(/<(?![@#!])/gu, "&lt;")
    .replaceAll(/(?<!<[@#!][^<>]*)>/gu, "&gt;");
}

function userFields(id: string, name: string, display: string): Json {
  return {
    id,
    team_id: teamId,
    name,
    deleted: false,
    real_name: display,
    is_bot: id === botUser,
    profile: { display_name: display, real_name: display },
  };
}
