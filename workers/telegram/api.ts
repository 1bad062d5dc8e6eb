/** The Bot API through grammY's client: every call has a deadline and a signal, and every failure is one of ours. */
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { Api, type ApiClientOptions } from "grammy";
import type { ApiMethods, Opts } from "grammy/types";
import { GatewayError } from "../../src/contract/errors.ts";
import { after } from "../../src/support/time.ts";
import { deadlineError, errorOfCall, TelegramError } from "./api-error.ts";

/** A method of the Bot API. */
export type ApiMethod = keyof ApiMethods;
/** What a method resolves with. */
export type ApiResult<Method extends ApiMethod> = ReturnType<ApiMethods[Method]>;

/** Of one call. */
export type CallOptions = {
  readonly signal?: AbortSignal;
  /** @default 20_000 */
  readonly deadlineMs?: number;
};

const defaultApiUrl = "https://api.telegram.org";
const defaultDeadlineMs = 20_000;
/** grammY's own deadline, for what ours should have ended long before. */
const lastDeadlineSeconds = 180;
/** Below the 75 s after which Telegram closes an idle connection itself. */
const idleSocketMs = 30_000;
const mostSockets = 32;

type RawCall = (...args: readonly unknown[]) => Promise<unknown>;

/** One bot's way to the Bot API. Disposing closes every connection, those in use too. */
export class TelegramApi implements Disposable {
  /** Without a slash at its end. */
  readonly root: string;
  readonly #token: string;
  readonly #api: Api;
  readonly #calls: HttpAgent;
  #polls: HttpAgent;

  constructor(options: { readonly token: string; readonly apiUrl: string }) {
    this.root = (options.apiUrl === "" ? defaultApiUrl : options.apiUrl).replace(/\/+$/u, "");
    this.#token = options.token;
    this.#calls = this.#agent();
    this.#polls = this.#agent();
    // grammY would share its connections with every other bot of the thread, and keep them when this one ends.
    const agent = (url: { readonly pathname: string | null }): HttpAgent =>
      url.pathname?.endsWith("/getUpdates") === true ? this.#polls : this.#calls;
    const baseFetchConfig = { agent, compress: true } as unknown as NonNullable<ApiClientOptions["baseFetchConfig"]>;
    this.#api = new Api(options.token, { apiRoot: this.root, timeoutSeconds: lastDeadlineSeconds, baseFetchConfig });
  }

  /**
   * Calls a method once. `payload` is `null` for a method that takes none.
   * @throws {TelegramError} whose code says what to do; the signal's reason when it was aborted, but for something new in
   * a chat, which is then `timeout`: it may be there.
   */
  async call<Method extends ApiMethod>(
    method: Method,
    payload: Opts<Method> | null,
    { signal, deadlineMs = defaultDeadlineMs }: CallOptions = {},
  ): Promise<ApiResult<Method>> {
    signal?.throwIfAborted();
    const deadline = new AbortController();
    using _timer = after(deadlineMs, () => deadline.abort());
    const ending = signal === undefined ? deadline.signal : AbortSignal.any([signal, deadline.signal]);
    // Which of grammY's signatures it is depends on the method's name: only the payload's presence differs.
    const run = this.#api.raw[method] as unknown as RawCall;
    try {
      const result = await (payload === null ? run(ending) : run(payload, ending));
      return result as ApiResult<Method>;
    } catch (reason) {
      // What people may see already is not told as never begun: it would be said again.
      if (signal?.aborted === true && !isVisible(method)) throw GatewayError.from(signal.reason);
      if (deadline.signal.aborted) throw deadlineError(method, deadlineMs);
      throw errorOfCall(reason, { method, token: this.#token, isVisible: isVisible(method) });
    }
  }

  /** The address that a file is fetched from. It holds the token: never log or emit it. */
  fileUrl(filePath: string): string {
    return `${this.root}/file/bot${this.#token}/${filePath.split("/").map(encodeURIComponent).join("/")}`;
  }

  /** The next poll opens a connection of its own. */
  renewPollConnection(): void {
    this.#polls.destroy();
    this.#polls = this.#agent();
  }

  [Symbol.dispose](): void {
    this.#polls.destroy();
    this.#calls.destroy();
  }

  #agent(): HttpAgent {
    const options = { keepAlive: true, maxSockets: mostSockets, timeout: idleSocketMs };
    return this.root.startsWith("https:") ? new HttpsAgent(options) : new HttpAgent(options);
  }
}

/** Whether people see it happen twice when it is done twice. */
function isVisible(method: string): boolean {
  return method.startsWith("send") && method !== "sendChatAction";
}

/** Whether Telegram itself has refused; everything else may be the way to it. */
export function isRefusal(reason: unknown): reason is TelegramError {
  return reason instanceof TelegramError && reason.status >= 400 && reason.status < 500 && reason.status !== 429;
}
