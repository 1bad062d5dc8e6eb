/** Calls of Discord's REST API through discord.js: bounded in time, never repeated by the library, errors as ours. */
import { type RawFile, RequestMethod, REST } from "discord.js";
import { GatewayError } from "../../src/contract/errors.ts";
import { after } from "../../src/support/time.ts";
import { toGatewayError } from "./api-error.ts";
import { createRestAgent, type RestAgent } from "./discord-library.ts";
import { payloadOf, type Payload } from "./payload.ts";

/** One call. */
export type ApiCall = {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly route: `/${string}`;
  /** For the error: `Cannot {what}: …`. */
  readonly what: string;
  readonly body?: unknown;
  readonly query?: URLSearchParams;
  readonly files?: readonly RawFile[];
  /** `false`: the URL has a token of its own. @default true */
  readonly hasToken?: boolean;
  readonly signal?: AbortSignal | undefined;
};

const methods = {
  GET: RequestMethod.Get,
  POST: RequestMethod.Post,
  PUT: RequestMethod.Put,
  PATCH: RequestMethod.Patch,
  DELETE: RequestMethod.Delete,
} as const;
/** For one answer, and for one to a file, milliseconds. Below the outbox's own deadline. */
const timeoutMs = 15_000;
const uploadTimeoutMs = 25_000;
/** A limit that we know of before Discord says it is waited out when it is this short. */
const longestWaitMs = 2_000;

/** One bot's calls. Disposing closes every connection. */
export class DiscordApi implements Disposable {
  /** discord.js' client, for its own gateway client. */
  readonly rest: REST;
  readonly #agent: RestAgent;
  readonly #ended = new AbortController();
  readonly #onUnauthorized: (error: GatewayError) => void;

  constructor(options: {
    readonly token: string;
    /** `""`: Discord's own. */
    readonly apiUrl: string;
    /** The token was refused: no later call can succeed. */
    readonly onUnauthorized: (error: GatewayError) => void;
  }) {
    this.#agent = createRestAgent();
    this.#onUnauthorized = options.onUnauthorized;
    this.rest = new REST({
      agent: this.#agent,
      ...(options.apiUrl === "" ? {} : { api: options.apiUrl.replace(/\/+$/u, "") }),
      retries: 0,
      timeout: uploadTimeoutMs,
      // A 429 is the outbox's to wait for; a wait that the library foresees differs from one that Discord ordered.
      rejectOnRateLimit: ({ retryAfter, timeToReset }) => retryAfter !== timeToReset || retryAfter > longestWaitMs,
    }).setToken(options.token);
  }

  /** The answer's object; `{}` for none. @throws {GatewayError} as in api-error.ts. */
  async call(call: ApiCall): Promise<Payload> {
    return payloadOf(await this.request(call)) ?? {};
  }

  /** The answer's list, objects only. @throws {GatewayError} as in api-error.ts. */
  async list(call: ApiCall): Promise<readonly Payload[]> {
    const answer = await this.request(call);
    return Array.isArray(answer) ? answer.map(payloadOf).filter((item) => item !== null) : [];
  }

  /** Any call of discord.js' own that ends in {@link DiscordApi.rest}. @throws {GatewayError} as in api-error.ts. */
  async guard<Value>(what: string, run: () => Promise<Value>): Promise<Value> {
    try {
      return await run();
    } catch (reason) {
      const error = toGatewayError(reason, what);
      if (error.code === "unauthorized") this.#onUnauthorized(error);
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#ended.abort(new GatewayError("adapter_unavailable", "The adapter is stopping"));
    this.rest.clearHashSweeper();
    this.rest.clearHandlerSweeper();
    // What is under way has been aborted, so nobody waits for this; it only rejects for an agent that is gone already.
    this.#agent.destroy().catch(() => {});
  }

  async request(call: ApiCall): Promise<unknown> {
    const { method, route, what, hasToken = true } = call;
    this.#ended.signal.throwIfAborted();
    const late = new AbortController();
    const signals = [late.signal, this.#ended.signal, ...(call.signal === undefined ? [] : [call.signal])];
    const isUpload = (call.files?.length ?? 0) > 0;
    using _deadline = after(isUpload ? uploadTimeoutMs : timeoutMs, () => late.abort());
    const request = {
      method: methods[method],
      fullRoute: route,
      auth: hasToken,
      signal: AbortSignal.any(signals),
      ...(call.body === undefined ? {} : { body: call.body }),
      ...(call.query === undefined ? {} : { query: call.query }),
      ...(call.files === undefined ? {} : { files: [...call.files] }),
    };
    const run = (): Promise<unknown> => this.rest.request(request);
    try {
      return hasToken ? await this.guard(what, run) : await run();
    } catch (reason) {
      this.#ended.signal.throwIfAborted();
      call.signal?.throwIfAborted();
      throw toGatewayError(reason, what);
    }
  }
}
