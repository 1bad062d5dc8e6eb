/** The HTTP that Slack's library speaks through: connections that end with the adapter, answers that have a bound. */
import type { Agent as HttpAgent, IncomingMessage } from "node:http";
import { Agent as SecureAgent, request as requestSecure } from "node:https";
import type { Socket } from "node:net";
import { errnoOf } from "../../src/support/errno.ts";
import { request as requestPlain } from "../../src/support/node-http.ts";
import { after } from "../../src/support/time.ts";

/** Why there is no answer. `mayHaveArrived`: the request was on its way, so it may have been carried out. */
export class LostAnswerError extends Error {
  override readonly name = "LostAnswerError";
  readonly mayHaveArrived: boolean;
  readonly isTimeout: boolean;

  constructor(message: string, options: { readonly mayHaveArrived: boolean; readonly isTimeout: boolean }) {
    super(message);
    this.mayHaveArrived = options.mayHaveArrived;
    this.isTimeout = options.isTimeout;
  }
}

/** What a request is made of. */
export type HttpCall = {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | FormData;
  readonly signal?: AbortSignal;
  /** For the whole answer, milliseconds. @default 8_000 */
  readonly timeoutMs?: number;
};

/** For one request, milliseconds. */
export const callTimeoutMs = 8_000;

/** Idle connections are given up before Slack's side does: one that dies under a request leaves its outcome unknown. */
const idleTimeoutMs = 20_000;
const mostSockets = 64;
const longestAnswerBytes = 16_777_216;

/** The connections of one adapter. */
export class HttpClient implements Disposable {
  readonly #plain: HttpAgent;
  readonly #secure: SecureAgent;
  readonly #ended = new AbortController();

  constructor() {
    const options = { keepAlive: true, timeout: idleTimeoutMs, maxSockets: mostSockets, maxFreeSockets: 4 };
    const { Agent: PlainAgent } = process.getBuiltinModule("node:http");
    this.#plain = new PlainAgent(options);
    this.#secure = new SecureAgent(options);
  }

  /**
   * One request, as `fetch` does it; redirects are answers like any other.
   * @throws {LostAnswerError} without an answer, in time or at all, also after disposal.
   */
  readonly fetch = async (url: string | URL, call: HttpCall = {}): Promise<Response> => {
    if (call.body instanceof FormData) throw new TypeError("Cannot send a form: expected text or bytes");
    const ending = new AbortController();
    const signals = [ending.signal, this.#ended.signal, ...(call.signal === undefined ? [] : [call.signal])];
    const state = { mayHaveArrived: false, isTimeout: false };
    using _deadline = after(call.timeoutMs ?? callTimeoutMs, () => {
      state.isTimeout = true;
      ending.abort(new Error("no answer in time"));
    });
    try {
      return await this.#exchange(url, { ...call, signal: AbortSignal.any(signals) }, state);
    } catch (reason) {
      const found = errnoOf(reason) ?? "the connection failed";
      throw new LostAnswerError(state.isTimeout ? "no answer in time" : found, state);
    }
  };

  /** Ends every connection and every request. */
  [Symbol.dispose](): void {
    this.#ended.abort(new Error("The adapter is stopping"));
    this.#plain.destroy();
    this.#secure.destroy();
  }

  async #exchange(
    url: string | URL,
    { method = "GET", headers, body, signal }: HttpCall & { readonly signal: AbortSignal },
    state: { mayHaveArrived: boolean },
  ): Promise<Response> {
    const isSecure = new URL(url).protocol === "https:";
    const length = body instanceof FormData ? 0 : Buffer.byteLength(body ?? "");
    const options = { method, headers: { ...headers, "Content-Length": String(length) }, signal };
    const request = isSecure
      ? requestSecure(url, { ...options, agent: this.#secure })
      : requestPlain(url, { ...options, agent: this.#plain });
    const answer = Promise.withResolvers<IncomingMessage>();
    request.once("socket", (socket: Socket) => {
      const begin = (): void => {
        state.mayHaveArrived = true;
      };
      if (socket.connecting) socket.once(isSecure ? "secureConnect" : "connect", begin);
      else begin();
    });
    request.on("error", answer.reject);
    request.once("response", answer.resolve);
    request.end(body);
    return readAnswer(await answer.promise);
  }
}

async function readAnswer(response: IncomingMessage): Promise<Response> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > longestAnswerBytes) {
      response.destroy();
      throw new Error(`the answer is longer than ${longestAnswerBytes} bytes`);
    }
    chunks.push(chunk);
  }
  if (!response.complete) throw new Error("the connection ended before the answer did");
  const status = response.statusCode ?? 0;
  const headers = new Headers();
  for (const [name, values] of Object.entries(response.headersDistinct))
    for (const value of values ?? []) headers.append(name, value);
  // A Response with a body refuses the statuses that have none.
  const hasBody = status >= 200 && status !== 204 && status !== 205 && status !== 304;
  return new Response(hasBody ? Buffer.concat(chunks, length) : null, {
    status: status < 200 ? 502 : status,
    headers,
  });
}
