/** Who there is on the emulated Twitch, which channels, and what Twitch takes there. */
import { randomUUID } from "node:crypto";

/** Somebody. */
export type Account = { readonly login: string; readonly userId: string; readonly displayName: string };

/** A channel; changed by tests. */
export type Channel = {
  readonly login: string;
  readonly roomId: string;
  readonly banned: Set<string>;
  readonly moderators: Set<string>;
  slowSeconds: number;
  isEmoteOnly: boolean;
  isSuspended: boolean;
  /** JOINs are neither answered nor refused. */
  isDeaf: boolean;
};

/** What a NOTICE says against something. */
export type Notice = { readonly id: string; readonly text: string };

type Sent = { readonly channel: string; readonly text: string; readonly atMs: number };

export const botAccount: Account = { login: "shipbot", userId: "1001", displayName: "ShipBot" };
export const annAccount: Account = { login: "ann", userId: "2002", displayName: "Ann" };
export const mainChannel = "bridge";
export const otherChannel = "engine_room";

const windowMs = 30_000;
const longestText = 500;
const mostMessages = { ordinary: 20, moderator: 100 } as const;

/** One Twitch. */
export class ChatWorld {
  readonly channels: ReadonlyMap<string, Channel>;
  readonly #sent = new Map<string, Sent[]>();

  constructor(names: readonly string[] = [mainChannel, otherChannel]) {
    this.channels = new Map(names.map((name, index) => [name, newChannel(name, String(9_001 + index))]));
  }

  /** A channel that is there. @throws {TypeError} otherwise. */
  channel(name: string): Channel {
    const channel = this.channels.get(name);
    if (channel === undefined) throw new TypeError(`There is no channel ${name}`);
    return channel;
  }

  newMessageId(): string {
    return randomUUID();
  }

  /** Whether `login` moderates or owns `channel`. */
  isModerator(login: string, channel: Channel): boolean {
    return login === channel.login || channel.moderators.has(login);
  }

  /** What `login` has in front of the name in `channel`. */
  badgesOf(login: string, channel: Channel): string {
    if (login === channel.login) return "broadcaster/1";
    return channel.moderators.has(login) ? "moderator/1" : "";
  }

  /**
   * Takes a message, or says what is against it. `silence`: Twitch takes no notice of it.
   */
  take(login: string, channel: Channel, text: string): "taken" | "silence" | Notice {
    const nowMs = Date.now();
    if (Array.from(text).length > longestText) return "silence";
    const refusal = this.#refusalOf(login, channel, { text, nowMs });
    if (refusal !== null) return refusal;
    this.#recent(login, nowMs).push({ channel: channel.login, text, atMs: nowMs });
    return "taken";
  }

  #refusalOf(
    login: string,
    channel: Channel,
    { text, nowMs }: { readonly text: string; readonly nowMs: number },
  ): Notice | null {
    const recent = this.#recent(login, nowMs);
    const here = recent.filter((sent) => sent.channel === channel.login);
    const isModerator = this.isModerator(login, channel);
    if (channel.banned.has(login))
      return { id: "msg_banned", text: `You are permanently banned from talking in ${channel.login}.` };
    if (/^\s*[/.]/u.test(text))
      return { id: "unrecognized_cmd", text: `Unrecognized command: ${text.split(" ", 1)[0]}` };
    if (recent.length >= (isModerator ? mostMessages.moderator : mostMessages.ordinary))
      return {
        id: "msg_ratelimit",
        text: "Your message was not sent because you are sending messages too quickly.",
      };
    if (isModerator) return null;
    if (channel.isEmoteOnly) return { id: "msg_emoteonly", text: "This room is in emote-only mode." };
    const slowLeftMs = (here.at(-1)?.atMs ?? Number.NEGATIVE_INFINITY) + channel.slowSeconds * 1_000 - nowMs;
    if (slowLeftMs > 0) return slowMode(Math.ceil(slowLeftMs / 1_000));
    if (here.at(-1)?.text === text)
      return {
        id: "msg_duplicate",
        text: "Your message was not sent because it is identical to the previous one you sent, less than 30 seconds ago.",
      };
    return null;
  }

  #recent(login: string, nowMs: number): Sent[] {
    const recent = (this.#sent.get(login) ?? []).filter(({ atMs }) => nowMs - atMs < windowMs);
    this.#sent.set(login, recent);
    return recent;
  }
}

/** A channel in slow mode, to somebody who was too quick. */
export function slowMode(seconds: number): Notice {
  return {
    id: "msg_slowmode",
    text: `This room is in slow mode and you are sending messages too quickly. You will be able to talk again in ${seconds} seconds.`,
  };
}

function newChannel(login: string, roomId: string): Channel {
  return {
    login,
    roomId,
    banned: new Set(),
    moderators: new Set(),
    slowSeconds: 0,
    isEmoteOnly: false,
    isSuspended: false,
    isDeaf: false,
  };
}
