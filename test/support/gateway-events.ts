/** What a gateway says on `/v1/events`, as something to wait for. */
import { request, type ClientRequest } from "node:http";
import type { GatewayStatus } from "../../src/contract/status.ts";
import type { RunningGateway } from "./gateway-fixture.ts";

/**
 * The status as soon as `holds` is true of it: asked for now, and again at every event of the gateway. Rejects with what
 * was last seen when the signal is aborted.
 */
export async function statusWhere(
  gateway: RunningGateway,
  holds: (status: GatewayStatus) => boolean,
  signal: AbortSignal = AbortSignal.timeout(30_000),
): Promise<GatewayStatus> {
  await using events = await EventReader.open(gateway);
  for (;;) {
    const next = events.next(signal);
    next.catch(() => {});
    const status = await gateway.status();
    if (holds(status)) return status;
    await next.catch((reason: unknown) => {
      throw new Error(`Never seen of the status, at last: ${JSON.stringify(status, null, 1)}`, { cause: reason });
    });
  }
}

/** Whether a condition stands, for {@link statusWhere}. */
export function hasCondition(status: GatewayStatus, code: string, key: string | null = null): boolean {
  return status.conditions.some((condition) => condition.code === code && condition.key === key);
}

/** Reads `/v1/events`; says only that something came. */
class EventReader implements AsyncDisposable {
  readonly #request: ClientRequest;
  #arrived = Promise.withResolvers<void>();

  private constructor(outgoing: ClientRequest) {
    this.#request = outgoing;
  }

  static async open(gateway: RunningGateway): Promise<EventReader> {
    const { socketPath, adminToken } = gateway.home;
    const connected = Promise.withResolvers<void>();
    const outgoing = request({ socketPath, path: "/v1/events", headers: { authorization: `Bearer ${adminToken}` } });
    const reader = new EventReader(outgoing);
    outgoing.on("response", (response) => {
      response.on("data", (chunk: Buffer) => {
        connected.resolve();
        // Log lines come with every look at the status; what we wait for has events of its own.
        if (/^event: (?:state|condition|message)$/mu.test(chunk.toString("utf8"))) reader.#arrive();
      });
      response.on("error", () => {});
    });
    outgoing.on("error", connected.reject);
    outgoing.end();
    await connected.promise;
    return reader;
  }

  /** Resolves with the next event after this call. */
  next(signal: AbortSignal): Promise<void> {
    const { promise, reject } = this.#arrived;
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
    return promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#request.destroy();
  }

  #arrive(): void {
    const arrived = this.#arrived;
    this.#arrived = Promise.withResolvers();
    arrived.resolve();
  }
}

/** All that `/v1/events` says, word for word, from the oldest event that is kept. */
export class EventTranscript implements AsyncDisposable {
  readonly #request: ClientRequest;
  readonly #ended = Promise.withResolvers<void>();
  #text = "";
  #arrived = Promise.withResolvers<void>();

  private constructor(outgoing: ClientRequest) {
    this.#request = outgoing;
  }

  static async open(gateway: RunningGateway): Promise<EventTranscript> {
    const { socketPath, adminToken } = gateway.home;
    const connected = Promise.withResolvers<void>();
    const headers = { authorization: `Bearer ${adminToken}`, "last-event-id": "0" };
    const outgoing = request({ socketPath, path: "/v1/events", headers });
    const transcript = new EventTranscript(outgoing);
    outgoing.on("response", (response) => {
      response.setEncoding("utf8").on("data", (chunk: string) => {
        connected.resolve();
        transcript.#text += chunk;
        transcript.#arrived.resolve();
        transcript.#arrived = Promise.withResolvers();
      });
      response.on("error", () => {});
    });
    outgoing.on("error", connected.reject);
    outgoing.on("close", () => transcript.#ended.resolve());
    outgoing.end();
    await connected.promise;
    return transcript;
  }

  /** What came so far. */
  get text(): string {
    return this.#text;
  }

  /** Resolves when `pattern` has been seen, with all that came so far. */
  async until(pattern: RegExp, signal: AbortSignal = AbortSignal.timeout(30_000)): Promise<string> {
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener("abort", () => reject(new Error(`Never seen: ${pattern}`)), { once: true });
    });
    aborted.catch(() => {});
    while (!pattern.test(this.#text)) await Promise.race([this.#arrived.promise, aborted]);
    return this.#text;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#request.destroy();
    await this.#ended.promise;
  }
}
