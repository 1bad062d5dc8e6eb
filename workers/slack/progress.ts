/** How far each channel and thread has been heard: what a later life catches up from. */
import type { AdapterContext } from "../../src/contract/adapter.ts";
import { every } from "../../src/support/time.ts";
import { fieldsOf, textOf } from "./fields.ts";
import { isTimestamp, type Post } from "./post.ts";

/** A moment in Slack's notation: `1700000000.000100`. */
type Ts = string;

/** What is stored. Literal: `{ aliveAt: "1700000000.000000", channels: { C01: "1700000000.000100" }, threads: {} }` */
export type Heard = {
  /** Until then everything was heard; `""`: never. */
  readonly aliveAt: Ts;
  readonly channels: Readonly<Record<string, Ts>>;
  /** Keys are `CHANNEL/TS`. */
  readonly threads: Readonly<Record<string, Ts>>;
};

const mostChannels = 1_000;
const mostThreads = 200;
const mostRefused = 100;
/** What was heard since the last time is written; a crash repeats it, and the repetition is known as such. */
const storePeriodMs = 2_000;
/** Without anything heard. */
const quietPeriodMs = 60_000;

/** The progress of one adapter. */
export class Progress implements Disposable {
  readonly #resume: AdapterContext["resume"];
  readonly #onError: (reason: unknown) => void;
  /** The longest silent first, in both. */
  readonly #channels = new Map<string, Ts>();
  readonly #threads = new Map<string, Ts>();
  /** Heard while something earlier is still being fetched: it must not hide that. */
  #later: Post[] | null = null;
  /** What could not be stored of each channel or thread, in case Slack gives up on it. */
  readonly #refused = new Map<string, Ts[]>();
  #aliveAt: Ts = "";
  #isAlive = false;
  #isDirty = false;
  #storedAtMs = Number.NEGATIVE_INFINITY;
  #timer: Disposable | null = null;

  constructor(resume: AdapterContext["resume"], onError: (reason: unknown) => void) {
    this.#resume = resume;
    this.#onError = onError;
  }

  /** What an earlier life had heard. Unreadable state counts as none. */
  async load(): Promise<Heard> {
    const state = fieldsOf(await this.#resume.load());
    const aliveAt = textOf(state["aliveAt"]);
    this.#aliveAt = isTimestamp(aliveAt) ? aliveAt : "";
    for (const [id, ts] of timestamps(state["channels"])) this.#channels.set(id, ts);
    for (const [id, ts] of timestamps(state["threads"])) this.#threads.set(id, ts);
    return this.heard;
  }

  /** Up to now. */
  get heard(): Heard {
    return {
      aliveAt: this.#aliveAt,
      channels: Object.fromEntries(this.#channels),
      threads: Object.fromEntries(this.#threads),
    };
  }

  /** Starts to write. */
  begin(): void {
    this.#isAlive = true;
    this.#timer ??= every(storePeriodMs, () => this.#tick(), this.#onError);
  }

  /** Whether everything that is said is heard: a connection stands, or Slack can reach us. */
  set isAlive(isAlive: boolean) {
    if (this.#isAlive && !isAlive && this.#later === null) this.#aliveAt = now();
    this.#isAlive = isAlive;
  }

  /** A message of a channel is on disk. */
  note(post: Post): void {
    if (post.kind !== "posted") return;
    this.#release(post);
    if (this.#later === null) this.#advance(post);
    else if (this.#later.length < mostChannels) this.#later.push(post);
  }

  /** A message could not be stored. Until it is, nothing later of its channel or thread counts as heard. */
  refuse(post: Post): void {
    if (post.kind !== "posted") return;
    const name = nameOf(post);
    const known = this.#refused.get(name) ?? [];
    // More need not be known: whatever fetches these fetches what came after them too.
    if (known.includes(post.ts) || known.length >= mostRefused || this.#refused.size >= mostChannels) return;
    this.#refused.set(name, [...known, post.ts]);
    if (this.#later === null) this.#beginAt(name);
  }

  /** Something is still to be fetched that Slack itself may not say again. */
  get isWaiting(): boolean {
    return this.#refused.size > 0;
  }

  /** Until {@link Progress.thaw}, what is heard does not count: a gap before it is being closed. */
  freeze(): void {
    this.#later ??= [];
  }

  /** The gap is closed, or given up. */
  thaw(): void {
    const later = this.#later ?? [];
    this.#later = null;
    for (const name of this.#refused.keys()) this.#beginAt(name);
    for (const post of later) this.#advance(post);
    this.#aliveAt = now();
    this.#isDirty = true;
  }

  /** Writes what was heard. */
  async store(): Promise<void> {
    if (this.#isAlive && this.#later === null) this.#aliveAt = now();
    this.#isDirty = false;
    this.#storedAtMs = performance.now();
    await this.#resume.store(this.heard);
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
  }

  #tick(): void {
    if (!this.#isDirty && performance.now() - this.#storedAtMs < quietPeriodMs) return;
    this.store().catch((reason: unknown) => {
      this.#isDirty = true;
      this.#onError(reason);
    });
  }

  #release(post: Post): void {
    const name = nameOf(post);
    const left = (this.#refused.get(name) ?? []).filter((ts) => ts !== post.ts);
    if (left.length > 0) this.#refused.set(name, left);
    else this.#refused.delete(name);
  }

  /** A channel without a place of its own is read from where everything was heard: that must not pass what was not. */
  #beginAt(name: string): void {
    const [first] = (this.#refused.get(name) ?? []).toSorted((left, right) => Number(left) - Number(right));
    const isKnown = this.#channels.has(name) || this.#threads.has(name);
    if (first !== undefined && !isKnown) this.#set(name, (Number(first) - 0.000_001).toFixed(6));
  }

  #advance(post: Post): void {
    const { ts } = post;
    const name = nameOf(post);
    if (this.#refused.get(name)?.some((refused) => isLater(ts, refused)) !== true) this.#set(name, ts);
  }

  /** Never a step back. */
  #set(name: string, ts: Ts): void {
    const [map, most] = name.includes("/") ? [this.#threads, mostThreads] : [this.#channels, mostChannels];
    const known = map.get(name) ?? "";
    map.delete(name);
    const [longestSilent] = map.keys();
    if (map.size >= most && longestSilent !== undefined) map.delete(longestSilent);
    map.set(name, isLater(ts, known) ? ts : known);
    this.#isDirty = true;
  }
}

function nameOf({ channel, threadTs }: Post): string {
  return threadTs === "" ? channel : `${channel}/${threadTs}`;
}

/** Whether `ts` is after `other`; anything is after `""`. */
export function isLater(ts: Ts, other: Ts): boolean {
  return other === "" || Number(ts) > Number(other);
}

function now(): Ts {
  return (Date.now() / 1000).toFixed(6);
}

function timestamps(value: unknown): readonly (readonly [string, Ts])[] {
  return Object.entries(fieldsOf(value)).flatMap(([id, ts]): readonly (readonly [string, Ts])[] =>
    typeof ts === "string" && isTimestamp(ts) ? [[id, ts]] : [],
  );
}
