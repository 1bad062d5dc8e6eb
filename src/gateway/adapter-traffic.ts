/** What adapters' threads send, into the stages it is meant for: messages into the flow, requests to whoever answers them. */
import { GatewayError } from "../contract/errors.ts";
import { frameKinds, parseMeta, type Frame, type FrameKind } from "../contract/frame.ts";
import { requestMethods, type AcceptedMeta, type DataMeta, type RequestMeta } from "../contract/protocol.ts";
import { parseDataMeta } from "../flow/data-frame.ts";
import type { Flow } from "../flow/flow.ts";
import type { Logger } from "../support/logger.ts";
import type { ResumeStates } from "./resume-states.ts";

const longestKindCharacters = 64;

/** Where a frame came from and where its answer goes. */
export type Origin = { readonly key: string; readonly generation: number };

/** What a request came to; `body` are bytes that `value` describes. */
export type RequestAnswer = { readonly value: unknown; readonly body?: readonly Uint8Array[] };

/** The stages behind the traffic, as far as it needs them. */
export type TrafficParts = {
  readonly flow: Pick<Flow, "receive">;
  readonly adapters: {
    /** Dropped when that generation is no longer the live one. */
    send(to: Origin, kind: FrameKind, meta: unknown, body?: readonly Uint8Array[]): void;
  };
  readonly mailboxes: {
    read(client: Origin, args: unknown): RequestAnswer | Promise<RequestAnswer>;
    ack(client: Origin, args: unknown): void;
  };
  readonly resumeStates: ResumeStates;
  readonly acquireBudget: (key: string, kind: string) => Promise<void>;
  readonly tokens: {
    lock(origin: Origin, args: unknown): Promise<RequestAnswer>;
    store(origin: Origin, args: unknown): Promise<RequestAnswer>;
    unlock(origin: Origin): RequestAnswer;
  };
  readonly logger: Logger;
};

/** Joins the adapters' data plane to the stages. */
export class AdapterTraffic {
  readonly #parts: TrafficParts;

  constructor(parts: TrafficParts) {
    this.#parts = parts;
  }

  /** One `data` or `request` frame. Never throws: a malformed one is the adapter's fault and is told to it alone. */
  onFrame(origin: Origin, frame: Frame): void {
    try {
      if (frame.kind === frameKinds.data) this.#onData(origin, frame);
      else if (frame.kind === frameKinds.request) void this.#onRequest(origin, parseRequest(parseMeta(frame)));
    } catch (reason) {
      this.#parts.logger.warn("frame-refused", { ...origin, error: GatewayError.from(reason).message });
    }
  }

  #onData(origin: Origin, frame: Frame): void {
    const { flow, adapters, resumeStates } = this.#parts;
    const unchecked = parseMeta(frame);
    let meta: DataMeta;
    try {
      meta = parseDataMeta(unchecked, frame.body.length);
    } catch (reason) {
      // Told to the thread where the frame has a number, so that its credit comes back.
      const number = (unchecked as { readonly frame?: unknown } | null)?.frame;
      if (typeof number === "number")
        adapters.send(origin, frameKinds.accepted, { frame: number, error: GatewayError.from(reason).toReport() });
      throw reason;
    }
    flow.receive({
      key: origin.key,
      meta,
      body: frame.body,
      settle(error) {
        if (error === null && meta.resume !== undefined) resumeStates.committed(origin.key, meta.resume);
        const accepted: AcceptedMeta =
          error === null ? { frame: meta.frame } : { frame: meta.frame, error: error.toReport() };
        adapters.send(origin, frameKinds.accepted, accepted);
      },
    });
  }

  async #onRequest(origin: Origin, { id, method, args }: RequestMeta): Promise<void> {
    try {
      const pending = this.#answer(origin, method, args);
      const { value, body } = pending instanceof Promise ? await pending : pending;
      if (id !== 0) this.#parts.adapters.send(origin, frameKinds.answer, { id, outcome: { ok: true, value } }, body);
    } catch (reason) {
      const error = GatewayError.from(reason);
      const outcome = { ok: false, error: error.toReport() };
      if (id !== 0) this.#parts.adapters.send(origin, frameKinds.answer, { id, outcome });
      else this.#parts.logger.warn("request-failed", { ...origin, method, error: error.message });
    }
  }

  #answer(origin: Origin, method: RequestMeta["method"], args: unknown): RequestAnswer | Promise<RequestAnswer> {
    const { mailboxes, resumeStates, tokens } = this.#parts;
    if (method === "mailbox.read") return mailboxes.read(origin, args);
    if (method === "mailbox.ack") {
      mailboxes.ack(origin, args);
      return { value: null };
    }
    if (method === "resume.load") return { value: resumeStates.get(origin.key) };
    if (method === "budget.acquire") return this.#acquireBudget(origin, args);
    if (method === "token.lock") return tokens.lock(origin, args);
    if (method === "token.store") return tokens.store(origin, args);
    if (method === "token.unlock") return tokens.unlock(origin);
    throw new GatewayError("invalid_request", `Cannot answer ${method}: an adapter may not ask for it`);
  }

  async #acquireBudget({ key }: Origin, args: unknown): Promise<RequestAnswer> {
    const { kind } = (args ?? {}) as Record<string, unknown>;
    if (typeof kind !== "string" || kind === "" || kind.length > longestKindCharacters)
      throw new GatewayError("invalid_request", "Cannot grant a connection: kind is not a short text");
    await this.#parts.acquireBudget(key, kind);
    return { value: null };
  }
}

function parseRequest(value: unknown): RequestMeta {
  const { id, method, args } = (value ?? {}) as Record<string, unknown>;
  if (typeof id === "number" && Number.isInteger(id) && id >= 0 && isRequestMethod(method)) return { id, method, args };
  throw new GatewayError("invalid_request", "Cannot read a request: expected { id, method, args }");
}

function isRequestMethod(value: unknown): value is RequestMeta["method"] {
  return (requestMethods as readonly unknown[]).includes(value);
}
