/** What happens, for `/v1/events`: states, messages, conditions and log lines, costing next to nothing while nobody listens. */
import type { GatewayEvent, HistoryEntry } from "../contract/control.ts";
import type { StoredMessage } from "../contract/message.ts";
import type { Condition } from "../contract/status.ts";

/** After the last reader left, events are still kept this long, so that one that reconnects has missed none. */
const lingerMs = 60_000;

/** Where events go. */
export interface EventSink {
  publish(event: GatewayEvent["event"], data: GatewayEvent["data"]): void;
  subscribe(options: { readonly afterId: number | null; readonly signal: AbortSignal }): AsyncIterable<GatewayEvent>;
}

/** A message that was accepted, as the flow tells it. */
export type AcceptedForFeed = {
  readonly key: string;
  readonly consumer: string;
  readonly payload: Uint8Array;
  readonly atMs: number;
};

const decoder = new TextDecoder();

/** What an {@link EventFeed} works with. */
export type EventFeedOptions = {
  /** Takes secrets out of JSON: what an adapter emits may hold its own. Log lines come without. */
  readonly redact: (text: string) => string;
  /** Milliseconds from any point. @default performance.now */
  readonly now?: () => number;
};

/** Fills an event sink. States and conditions always; messages and log lines only while somebody reads, or just did. */
export class EventFeed {
  readonly #sink: EventSink;
  readonly #redact: (text: string) => string;
  readonly #now: () => number;
  #readers = 0;
  #lastReaderLeftMs = Number.NEGATIVE_INFINITY;
  #conditions = "";
  #states: { readonly key: string; readonly entry: HistoryEntry }[] = [];
  readonly #observedGenerations = new Map<string, number>();

  constructor(sink: EventSink, { redact, now = () => performance.now() }: EventFeedOptions) {
    this.#sink = sink;
    this.#redact = redact;
    this.#now = now;
  }

  /** An adapter is in another state. Published at the end of the turn, so that what follows from it comes along. */
  state(key: string, entry: HistoryEntry): void {
    this.#states.push({ key, entry });
    if (this.#states.length === 1) queueMicrotask(() => this.#publishStates());
  }

  /** An adapter obeys a newer config: said with the state it has changed to just now, else by an event of its own. */
  observed(key: string, observedGeneration: number, latest: HistoryEntry): void {
    this.#observedGenerations.set(key, observedGeneration);
    if (this.#states.some((state) => state.key === key)) return;
    this.state(key, { ...latest, at: new Date().toISOString() });
  }

  /** The payload is our own shim's JSON; it is opened only for a reader. */
  message({ key, consumer, payload, atMs }: AcceptedForFeed): void {
    if (!this.#isRead()) return;
    const { id, conversation, sender, kind, text, timestamp } = JSON.parse(decoder.decode(payload)) as StoredMessage;
    const acceptedAt = new Date(atMs).toISOString();
    this.#publish("message", {
      id,
      adapter: key,
      conversation,
      consumer,
      sender,
      kind,
      text,
      timestamp,
      acceptedAt,
    });
  }

  /** All conditions that stand; published when they differ from the last ones. */
  conditions(conditions: readonly Condition[]): void {
    const json = JSON.stringify(conditions);
    if (json === this.#conditions) return;
    this.#conditions = json;
    this.#publish("condition", { conditions });
  }

  /** One redacted line of the log. */
  logLine(line: string): void {
    if (!this.#isRead()) return;
    this.#sink.publish("log", parseLine(line));
  }

  async *read(options: {
    readonly afterId: number | null;
    readonly signal: AbortSignal;
  }): AsyncGenerator<GatewayEvent> {
    this.#readers += 1;
    try {
      yield* this.#sink.subscribe(options);
    } finally {
      this.#readers -= 1;
      this.#lastReaderLeftMs = this.#now();
    }
  }

  #publishStates(): void {
    const states = this.#states;
    this.#states = [];
    for (const { key, entry } of states)
      this.#publish("state", { key, ...entry, observedGeneration: this.#observedGenerations.get(key) ?? 0 });
    for (const { key, entry } of states) if (entry.state === "stopped") this.#observedGenerations.delete(key);
  }

  #publish(event: GatewayEvent["event"], data: GatewayEvent["data"]): void {
    const json = JSON.stringify(data);
    const redacted = this.#redact(json);
    this.#sink.publish(event, redacted === json ? data : parseLine(redacted));
  }

  #isRead(): boolean {
    return this.#readers > 0 || this.#now() - this.#lastReaderLeftMs < lingerMs;
  }
}

/** One object of JSON. A text that redaction has made unreadable is still worth showing. */
function parseLine(line: string): GatewayEvent["data"] {
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return { text: line };
  }
}
