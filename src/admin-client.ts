/** The other end of the admin API, for the command line: over TCP or a unix socket, one connection per request. */
import type { IncomingMessage, RequestOptions } from "node:http";
import type { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ListenAddress } from "./contract/config.ts";
import type { GatewayEvent } from "./contract/control.ts";
import { GatewayError, parseErrorReport } from "./contract/errors.ts";
import type { ConfigIssue } from "./contract/spec.ts";
import { errnoOf } from "./support/errno.ts";
import { request as httpRequest } from "./support/node-http.ts";

const defaultTimeoutMs = 30_000;
const longestAnswerBytes = 256 * 1024 * 1024;
const longestFrameCharacters = 16 * 1024 * 1024;
const anyAddress: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "::1" };

/** Nothing listens where the config says the gateway does. */
export class NotRunningError extends Error {
  override readonly name = "NotRunningError";
}

/** An error answer, with the config issues a refused reload carries. */
export class AdminRefusal extends GatewayError {
  readonly status: number;
  readonly issues: readonly ConfigIssue[];

  constructor(status: number, body: unknown) {
    const { error, errors } = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
    const report = parseErrorReport(error);
    super(report?.code ?? "internal", report?.message ?? `Cannot read the gateway's answer: status ${status}`);
    this.status = status;
    // The gateway of this version made them; an older one's are shown as far as they go.
    this.issues = Array.isArray(errors) ? (errors as ConfigIssue[]) : [];
  }
}

/** One request. `body`: an object is sent as JSON, a string as TOML. */
export type AdminRequest = {
  readonly method: "GET" | "POST" | "DELETE";
  readonly path: string;
  readonly body?: string | Readonly<Record<string, unknown>>;
  /** @default 30_000 */
  readonly timeoutMs?: number;
};

/** A gateway's address and token. */
export type AdminClientOptions = { readonly listen: ListenAddress; readonly token: string };

/** Asks one gateway. */
export class AdminClient {
  readonly #connection: RequestOptions;

  constructor(options: AdminClientOptions) {
    const { listen, token } = options;
    this.#connection = {
      ...(listen.kind === "unix"
        ? { socketPath: listen.path, host: "localhost" }
        : { host: anyAddress[listen.host] ?? listen.host, port: listen.port }),
      agent: false,
      headers: { authorization: `Bearer ${token}` },
    };
  }

  /**
   * The answer's JSON. The caller names its type: both ends are the same version's.
   * @throws {NotRunningError} when nothing listens.
   * @throws {AdminRefusal} for an error answer.
   * @throws {GatewayError} `timeout`, `platform_unavailable` when the connection broke.
   */
  async call<Answer>(request: AdminRequest): Promise<Answer> {
    const signal = AbortSignal.timeout(request.timeoutMs ?? defaultTimeoutMs);
    const answer = await this.#open(request, signal);
    let text = "";
    try {
      for await (const chunk of answer.setEncoding("utf8")) {
        text += String(chunk);
        if (text.length > longestAnswerBytes)
          throw new GatewayError("too_large", "Cannot read the answer: it has no end");
      }
    } catch (reason) {
      throw explain(reason);
    }
    const status = answer.statusCode ?? 0;
    const body = parseJson(text);
    if (status >= 400) throw new AdminRefusal(status, body);
    return body as Answer;
  }

  /**
   * The answer's bytes into `target`, which is closed at its end. Errors as of {@link call}, and what `target` fails with.
   */
  async download(request: AdminRequest, target: Writable): Promise<void> {
    const signal = AbortSignal.timeout(request.timeoutMs ?? defaultTimeoutMs);
    const answer = await this.#open(request, signal);
    if (answer.statusCode !== 200) throw new AdminRefusal(answer.statusCode ?? 0, parseJson(await readText(answer)));
    await pipeline(answer, target, { signal });
  }

  /** `/v1/events` until the signal, which ends it without an error, or until the gateway ends it. Errors as of {@link call}. */
  async *events(options: { readonly signal: AbortSignal }): AsyncGenerator<GatewayEvent> {
    const { signal } = options;
    try {
      const answer = await this.#open({ method: "GET", path: "/v1/events" }, signal);
      if (answer.statusCode !== 200) throw new AdminRefusal(answer.statusCode ?? 0, parseJson(await readText(answer)));
      let rest = "";
      for await (const chunk of answer.setEncoding("utf8")) {
        const frames = (rest + String(chunk)).split("\n\n");
        rest = frames.pop() ?? "";
        if (rest.length > longestFrameCharacters)
          throw new GatewayError("too_large", "Cannot read an event: it has no end");
        for (const frame of frames) {
          const event = parseFrame(frame);
          if (event !== null) yield event;
        }
      }
    } catch (reason) {
      if (!signal.aborted) throw explain(reason);
    }
  }

  async #open(request: AdminRequest, signal: AbortSignal): Promise<IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const content = typeof request.body === "object" ? JSON.stringify(request.body) : request.body;
    const type = typeof request.body === "object" ? "application/json" : "application/toml";
    const outgoing = httpRequest({
      ...this.#connection,
      method: request.method,
      path: request.path,
      signal,
      headers: {
        ...(this.#connection.headers as Readonly<Record<string, string>>),
        ...(content === undefined ? {} : { "content-type": type, "content-length": Buffer.byteLength(content) }),
      },
    });
    outgoing.on("response", resolve);
    outgoing.on("error", reject);
    outgoing.end(content);
    try {
      return await promise;
    } catch (reason) {
      throw explain(reason);
    }
  }
}

function explain(reason: unknown): Error {
  if (reason instanceof GatewayError || reason instanceof NotRunningError) return reason;
  const code = errnoOf(reason);
  if (code === "ECONNREFUSED" || code === "ENOENT")
    return new NotRunningError("gateway not running", { cause: reason });
  if (reason instanceof Error && (reason.name === "TimeoutError" || code === "ABORT_ERR"))
    return new GatewayError("timeout", "Cannot reach the gateway: it did not answer in time", { cause: reason });
  return new GatewayError("platform_unavailable", `Cannot reach the gateway: ${code ?? String(reason)}`, {
    cause: reason,
  });
}

async function readText(answer: IncomingMessage): Promise<string> {
  const chunks: string[] = [];
  for await (const chunk of answer.setEncoding("utf8")) chunks.push(String(chunk));
  return chunks.join("");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Whoever answers without JSON is no gateway; its status says what there is to say.
    return null;
  }
}

/** Our own frames only: one line per field. A comment gives `null`. */
function parseFrame(frame: string): GatewayEvent | null {
  const fields = new Map(
    frame.split("\n").map((line): [string, string] => {
      const colon = line.indexOf(": ");
      return [line.slice(0, colon), line.slice(colon + 2)];
    }),
  );
  const [event, data] = [fields.get("event"), fields.get("data")];
  if (event === undefined || data === undefined) return null;
  // Made by the gateway's own event ring.
  return {
    id: Number(fields.get("id")),
    event: event as GatewayEvent["event"],
    data: JSON.parse(data) as GatewayEvent["data"],
  };
}
