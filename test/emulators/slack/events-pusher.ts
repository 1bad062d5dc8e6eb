/** Slack's side of HTTP mode: signed requests to the app's address, tried again where they are not answered with 200. */
import { createHmac } from "node:crypto";
import { request } from "node:http";
import { Observed } from "../../conformance/observed.ts";
import { after } from "../../../src/support/time.ts";
import type { Json } from "./workspace.ts";

/** One thing to be told. */
type Push = { readonly id: string; readonly body: string; readonly type: string };

/** How a request was answered; status 0: not at all. */
export type PushAnswer = { readonly status: number; readonly body: string };

/** Slack waits a minute, then five; here time is shorter, and tries are more. */
const retryDelaysMs = [50, 100, 200, 400, 800, 1_000, 1_000, 1_000, 1_000, 1_000];
const answerTimeoutMs = 30_000;

/** Pushes events to one app, one after the other. */
export class EventsPusher implements Disposable {
  /** Ids that were answered with 200, and the answers. */
  readonly answered = new Observed<{ readonly id: string; readonly answer: PushAnswer }>();
  openSockets = 0;
  readonly #port: number;
  readonly #secret: string;
  readonly #queue: Push[] = [];
  readonly #ended = new AbortController();
  readonly #emptied = new Set<() => void>();
  readonly #sent: Push[] = [];
  #isBusy = false;

  constructor(port: number, secret: string) {
    this.#port = port;
    this.#secret = secret;
  }

  /** An event. */
  pushEvent(id: string, body: Json): void {
    this.#push({ id, body: JSON.stringify(body), type: "application/json" });
  }

  /** A command: its members as a form. */
  pushForm(id: string, fields: Readonly<Record<string, string>>): void {
    this.#push({ id, body: new URLSearchParams(fields).toString(), type: "application/x-www-form-urlencoded" });
  }

  repeat(id: string): void {
    for (const push of this.#sent.filter((each) => each.id === id)) this.#push(push);
  }

  /** One request with whatever headers and body; Slack's own where they are left out. */
  async post(
    body: string,
    headers: Readonly<Record<string, string>> = {},
    path = "/slack/events",
  ): Promise<PushAnswer> {
    const timestamp = String(Math.floor(Date.now() / 1000));
    const answer = Promise.withResolvers<PushAnswer>();
    const outgoing = request({
      host: "127.0.0.1",
      port: this.#port,
      path,
      method: "POST",
      agent: false,
      signal: AbortSignal.any([this.#ended.signal, AbortSignal.timeout(answerTimeoutMs)]),
      headers: {
        "Content-Type": "application/json",
        "Content-Length": String(Buffer.byteLength(body)),
        "X-Slack-Request-Timestamp": timestamp,
        "X-Slack-Signature": this.sign(timestamp, body),
        ...headers,
      },
    });
    outgoing.once("socket", (socket) => {
      this.openSockets += 1;
      socket.once("close", () => {
        this.openSockets -= 1;
        if (this.openSockets === 0) for (const resolve of this.#emptied) resolve();
      });
    });
    outgoing.on("error", () => answer.resolve({ status: 0, body: "" }));
    outgoing.once("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", () => {});
      response.once("close", () =>
        answer.resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }),
      );
    });
    outgoing.end(body);
    return answer.promise;
  }

  sign(timestamp: string, body: string): string {
    return `v0=${createHmac("sha256", this.#secret).update(`v0:${timestamp}:${body}`).digest("hex")}`;
  }

  async empty(): Promise<void> {
    if (this.openSockets === 0) return;
    const empty = Promise.withResolvers<void>();
    this.#emptied.add(empty.resolve);
    await empty.promise;
    this.#emptied.delete(empty.resolve);
  }

  [Symbol.dispose](): void {
    this.#ended.abort();
  }

  #push(push: Push): void {
    this.#sent.push(push);
    this.#queue.push(push);
    if (!this.#isBusy) void this.#pump();
  }

  async #pump(): Promise<void> {
    this.#isBusy = true;
    for (let push = this.#queue.shift(); push !== undefined; push = this.#queue.shift()) await this.#deliver(push);
    this.#isBusy = false;
  }

  async #deliver({ id, body, type }: Push): Promise<void> {
    for (let attempt = 0; !this.#ended.signal.aborted && attempt <= retryDelaysMs.length; attempt += 1) {
      const retry: Readonly<Record<string, string>> =
        attempt === 0 ? {} : { "X-Slack-Retry-Num": String(attempt), "X-Slack-Retry-Reason": "http_error" };
      const answer = await this.post(body, { "Content-Type": type, ...retry });
      if (answer.status === 200) {
        this.answered.add({ id, answer });
        return;
      }
      const waited = Promise.withResolvers<void>();
      using _timer = after(retryDelaysMs[attempt] ?? 0, waited.resolve);
      this.#ended.signal.addEventListener("abort", () => waited.resolve(), { once: true });
      await waited.promise;
    }
  }
}
