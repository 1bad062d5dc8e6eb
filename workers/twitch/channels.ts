/** The channels that the bot is to be in: asked for at Twitch's pace, missed when there is no answer, and asked for again. */
import type { AdapterLog } from "../../src/contract/adapter.ts";
import { GatewayError } from "../../src/contract/errors.ts";
import { after, steadyNow } from "../../src/support/time.ts";
import { channelOf, nickOf, type ChatLine } from "./chat-line.ts";
import { refusalOf } from "./refusals.ts";

/** What channels need of a connection. */
export type ChannelsParts = {
  /** Logins. */
  readonly names: readonly string[];
  readonly log: AdapterLog;
};

/** Where a JOIN goes; one at a time. */
type Link = { readonly login: string; send(line: string): void };
/** `refusal`: what Twitch said to the last JOIN, where it said anything. */
type Channel = { isJoined: boolean; isModerator: boolean; isMissed: boolean; refusal: string | null };

/** Twitch takes 20 in 10 s. {@link https://dev.twitch.tv/docs/chat/#rate-limits} */
const roundSize = 20;
const roundPeriodMs = 10_500;
/** Twitch answers at once, or never. */
const answerTimeoutMs = 5_000;
const missedPeriodMs = 60_000;
const noAnswer = `no answer within ${answerTimeoutMs} ms`;

/** One adapter's channels, over all of its connections. */
export class Channels implements Disposable {
  readonly #log: AdapterLog;
  readonly #channels: ReadonlyMap<string, Channel>;
  #link: Link | null = null;
  /** Asked for through this connection, the longest ago first. */
  readonly #asked = new Set<string>();
  #round: readonly string[] = [];
  #firstRound: PromiseWithResolvers<void> | null = null;
  #answers: Disposable | null = null;
  #next: Disposable | null = null;
  #nextAtMs = 0;

  constructor({ names, log }: ChannelsParts) {
    this.#log = log;
    this.#channels = new Map(
      names.map((name) => [name, { isJoined: false, isModerator: false, isMissed: false, refusal: null }]),
    );
  }

  /** Whether the config names it. */
  has(name: string): boolean {
    return this.#channels.has(name);
  }

  /** The names, for messages. */
  get names(): readonly string[] {
    return [...this.#channels.keys()];
  }

  isJoined(name: string): boolean {
    return this.#channels.get(name)?.isJoined === true;
  }

  /** Whether the bot moderates or owns the channel. */
  isModerator(name: string): boolean {
    return this.#channels.get(name)?.isModerator === true;
  }

  /**
   * Joins through a new connection. Resolves when the first round is answered or given up; the others follow by themselves.
   * @throws {GatewayError} when none of it let the bot in.
   */
  async join(link: Link): Promise<void> {
    this.leave();
    this.#link = link;
    this.#asked.clear();
    if (this.#channels.size === 0) return;
    const round = Promise.withResolvers<void>();
    this.#firstRound = round;
    this.#ask();
    await round.promise;
    if (this.#link === link && ![...this.#channels.values()].some(({ isJoined }) => isJoined)) throw this.#outside();
  }

  /** The connection is gone. */
  leave(): void {
    this.#answers?.[Symbol.dispose]();
    this.#next?.[Symbol.dispose]();
    this.#next = null;
    this.#link = null;
    this.#firstRound?.resolve();
    for (const channel of this.#channels.values()) {
      channel.isJoined = false;
      channel.refusal = null;
    }
  }

  /** Learns from a line. */
  onLine(line: ChatLine): void {
    const name = line.command === "366" ? namedIn(line) : channelOf(line);
    const channel = name === null ? undefined : this.#channels.get(name);
    if (name === null || channel === undefined) return;
    switch (line.command) {
      case "JOIN":
        if (nickOf(line) === this.#link?.login) this.#joined(name, channel);
        break;
      case "366":
      case "ROOMSTATE":
        this.#joined(name, channel);
        break;
      case "USERSTATE":
        channel.isModerator = isModerator(line.tags);
        this.#joined(name, channel);
        break;
      case "PART":
        if (nickOf(line) === this.#link?.login) this.#lost(channel);
        break;
      case "NOTICE":
        if (!channel.isJoined) this.#refused(channel, line);
        break;
    }
  }

  [Symbol.dispose](): void {
    this.leave();
  }

  /** Those that were not asked for yet come first, then those that were the longest ago. */
  #ask(): void {
    const fresh = this.names.filter((name) => !this.#asked.has(name));
    const waiting = fresh.length > 0 ? fresh : [...this.#asked];
    this.#round = waiting.filter((name) => !this.isJoined(name)).slice(0, roundSize);
    if (this.#link === null || this.#round.length === 0) return;
    try {
      for (const name of this.#round) {
        this.#asked.delete(name);
        this.#asked.add(name);
        this.#link.send(`JOIN #${name}`);
      }
    } catch {
      // The connection is over, which its owner is about to hear.
      return;
    }
    const askedAtMs = steadyNow();
    this.#answers?.[Symbol.dispose]();
    this.#answers = after(answerTimeoutMs, () => this.#answered(askedAtMs));
  }

  /** No more answers are waited for. */
  #answered(askedAtMs: number): void {
    this.#firstRound?.resolve();
    for (const name of this.#round) this.#noteMissed(name);
    if (this.names.every((name) => this.isJoined(name))) return;
    const isFinished = this.names.every((name) => this.#asked.has(name));
    this.#askLater(askedAtMs + (isFinished ? missedPeriodMs : roundPeriodMs) - steadyNow());
  }

  #noteMissed(name: string): void {
    const channel = this.#channels.get(name);
    if (channel === undefined || channel.isJoined || channel.isMissed) return;
    channel.isMissed = true;
    this.#log.warn("twitch-channel-not-joined", { channel: name, reason: channel.refusal ?? noAnswer });
  }

  #joined(name: string, channel: Channel): void {
    if (channel.isJoined) return;
    channel.isJoined = true;
    if (channel.isMissed) this.#log.info("twitch-channel-joined", { channel: name });
    channel.isMissed = false;
    this.#lookWhetherAnswered();
  }

  #refused(channel: Channel, { tags, params: [, text = ""] }: ChatLine): void {
    const notice = tags.get("msg-id") ?? "";
    if (refusalOf(notice, text) === null) return;
    channel.refusal = `Twitch refuses it as ${notice}: ${JSON.stringify(text.slice(0, 200))}`;
    this.#lookWhetherAnswered();
  }

  /** Twitch put the bot out. */
  #lost(channel: Channel): void {
    channel.isJoined = false;
    this.#askLater(missedPeriodMs);
  }

  /** Whoever waits for the first round need not wait until its time is over. */
  #lookWhetherAnswered(): void {
    const isOpen = (name: string): boolean => {
      const channel = this.#channels.get(name);
      return channel !== undefined && !channel.isJoined && channel.refusal === null;
    };
    if (!this.#round.some(isOpen)) this.#firstRound?.resolve();
  }

  /** Or earlier, where that is due already: one channel's trouble does not keep the others waiting. */
  #askLater(delayMs: number): void {
    const atMs = steadyNow() + Math.max(0, delayMs);
    if (this.#next !== null && this.#nextAtMs <= atMs) return;
    this.#next?.[Symbol.dispose]();
    this.#nextAtMs = atMs;
    this.#next = after(atMs - steadyNow(), () => {
      this.#next = null;
      this.#ask();
    });
  }

  #outside(): GatewayError {
    const names = this.names.slice(0, 5).map((name) => `"${name}"`);
    const refusals = [...this.#channels.values()].flatMap(({ refusal }) => refusal ?? []);
    const reason = refusals[0] ?? noAnswer;
    return new GatewayError("platform_unavailable", `Cannot join a single channel of ${names.join(", ")}: ${reason}`, {
      userAction: "Check the names in channels, and that the bot is not banned there",
    });
  }
}

/** `:tmi.twitch.tv 366 bot #room :End of /NAMES list`. */
function namedIn({ params: [, target = ""] }: ChatLine): string | null {
  return target.startsWith("#") ? target.slice(1).toLowerCase() : null;
}

function isModerator(tags: ReadonlyMap<string, string>): boolean {
  const badges = (tags.get("badges") ?? "").split(",").map((badge) => badge.split("/", 1)[0]);
  return tags.get("mod") === "1" || badges.includes("moderator") || badges.includes("broadcaster");
}
