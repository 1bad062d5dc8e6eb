import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it } from "node:test";
import { WebSocket, type ClientOptions } from "ws";
import { GatewayError } from "../../../src/contract/errors.ts";
import type { WebchatSettings } from "../../../src/contract/settings.ts";
import { addressText, HttpListener } from "../../../src/support/http-listener.ts";
import { ChatServer } from "../../../workers/webchat/chat-server.ts";
import { PageAssets } from "../../../workers/webchat/page-assets.ts";
import { adapterContext } from "../../support/adapter-context.ts";
import { startWebchat } from "../../support/webchat.ts";

const conversation = "3f0c9d1e-6a52-4d8e-9a55-0e9b6f5f7a01";

type Frame = { readonly type: string; readonly [field: string]: unknown };

/** One page's socket: frames wait until they are asked for. */
class Client implements AsyncDisposable {
  readonly socket: WebSocket;
  readonly #frames: Frame[] = [];
  #wake: (() => void) | null = null;

  constructor(url: string, options: ClientOptions = {}) {
    this.socket = new WebSocket(`${url.replace("http", "ws")}/ws`, options);
    this.socket.on("error", () => {});
    this.socket.on("message", (data: Buffer) => {
      this.#frames.push(JSON.parse(data.toString()) as Frame);
      this.#wake?.();
    });
  }

  send(frame: unknown): void {
    this.socket.send(JSON.stringify(frame));
  }

  /** The next frame. */
  async next(): Promise<Frame> {
    for (;;) {
      const frame = this.#frames.shift();
      if (frame !== undefined) return frame;
      const arrived = Promise.withResolvers<void>();
      this.#wake = arrived.resolve;
      await arrived.promise;
    }
  }

  async hello(after = 0, token?: string): Promise<this> {
    await once(this.socket, "open");
    this.send({ type: "hello", conversation, after, token });
    return this;
  }

  async ready(after = 0): Promise<this> {
    await this.hello(after);
    assert.deepEqual(await this.next(), { type: "ready" });
    return this;
  }

  /** The code it is closed with. */
  async closeCode(): Promise<unknown> {
    const [code] = (await once(this.socket, "close")) as [number];
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.socket.readyState === WebSocket.CLOSED) return;
    const closed = once(this.socket, "close");
    this.socket.terminate();
    await closed;
  }
}

/** The same, or `null` for one that opens. */
async function refusalOrNull(url: string): Promise<number | null> {
  const client = new Client(url);
  const refused = once(client.socket, "unexpected-response").then(() => 503);
  refused.catch(() => {});
  const outcome = await Promise.race([refused, once(client.socket, "open").then(() => null)]);
  client.socket.terminate();
  return outcome;
}

/** The HTTP status a socket is refused with. */
async function refusal(url: string, options: ClientOptions): Promise<number | undefined> {
  const socket = new WebSocket(`${url.replace("http", "ws")}/ws`, options);
  const [, response] = (await once(socket, "unexpected-response")) as [unknown, { statusCode?: number }];
  socket.on("error", () => {});
  socket.terminate();
  return response.statusCode;
}

describe("webchat adapter", () => {
  it("accepts a message once it is on disk", async () => {
    const onDisk = Promise.withResolvers<string>();
    await using running = await startWebchat({}, { emit: () => onDisk.promise });
    await using client = await new Client(running.url).ready();
    client.send({ type: "message", clientId: "c1", text: "hello" });
    client.send({ type: "ping" });
    assert.deepEqual(await client.next(), { type: "pong" });
    onDisk.resolve("m1");
    assert.deepEqual(await client.next(), { type: "accepted", clientId: "c1", id: "m1" });
  });

  it("takes a message that is sent again after a lost connection once", async () => {
    await using running = await startWebchat();
    const ids: unknown[] = [];
    for (let round = 0; round < 2; round += 1) {
      await using client = await new Client(running.url).ready();
      client.send({ type: "message", clientId: "c1", text: "hello" });
      ids.push((await client.next())["id"]);
    }
    assert.equal(ids[0], ids[1]);
    assert.deepEqual(running.accepted, [{ id: "c1", conversation, sender: { id: conversation }, text: "hello" }]);
  });

  it("delivers mail in order, and keeps it until the page confirms it", async () => {
    await using running = await startWebchat();
    running.mailbox.put(conversation, "one");
    {
      await using client = await new Client(running.url).ready();
      assert.deepEqual(await client.next(), { type: "entry", cursor: 1, response: { kind: "text", text: "one" } });
      running.mailbox.put(conversation, "two");
      assert.equal((await client.next())["cursor"], 2);
      assert.equal(running.mailbox.waiting(conversation).length, 2);
    }
    await using client = await new Client(running.url).ready();
    assert.equal((await client.next())["cursor"], 1);
    assert.equal((await client.next())["cursor"], 2);
    client.send({ type: "ack", cursor: 1 });
    client.send({ type: "ping" });
    await client.next();
    assert.deepEqual(
      running.mailbox.waiting(conversation).map(({ cursor }) => cursor),
      [2],
    );
  });

  it("goes on after what the page already has", async () => {
    await using running = await startWebchat();
    running.mailbox.put(conversation, "one");
    running.mailbox.put(conversation, "two");
    await using client = await new Client(running.url).ready(1);
    assert.equal((await client.next())["cursor"], 2);
    assert.equal(running.mailbox.waiting(conversation).length, 1);
  });

  it("does not let a page confirm what it was not sent", async () => {
    await using running = await startWebchat();
    running.mailbox.failure = new GatewayError("journal_unavailable", "Cannot read");
    running.mailbox.put(conversation, "unseen");
    await using client = await new Client(running.url).ready();
    client.send({ type: "ack", cursor: 1 });
    client.send({ type: "ping" });
    assert.deepEqual(await client.next(), { type: "pong" });
    assert.equal(running.mailbox.waiting(conversation).length, 1);
  });

  it("gives two tabs of one conversation the same, and another conversation nothing", async () => {
    await using running = await startWebchat();
    await using left = await new Client(running.url).ready();
    await using right = await new Client(running.url).ready();
    running.mailbox.put(conversation, "for both");
    assert.deepEqual(await left.next(), await right.next());
    await running.adapter.setStatus?.({ conversation, replyTo: null, status: { kind: "thinking" } });
    for (const client of [left, right]) assert.deepEqual(await client.next(), { type: "typing", on: true });
    await running.adapter.setStatus?.({ conversation, replyTo: null, status: { kind: "stop_typing" } });
    assert.deepEqual(await left.next(), { type: "typing", on: false });
    await running.adapter.setStatus?.({
      conversation: "somebody-elses-conversation",
      replyTo: null,
      status: { kind: "thinking" },
    });
    left.send({ type: "ping" });
    assert.deepEqual(await left.next(), { type: "pong" });
  });

  it("streams", async () => {
    await using running = await startWebchat();
    await using client = await new Client(running.url).ready();
    running.mailbox.put(conversation, { kind: "stream_start" });
    assert.deepEqual((await client.next())["response"], { kind: "stream_start" });
    await running.chunk(conversation, "so f");
    assert.deepEqual(await client.next(), { type: "chunk", text: "so f" });
    running.mailbox.put(conversation, { kind: "stream_end", text: "so far" });
    assert.deepEqual((await client.next())["response"], { kind: "stream_end", text: "so far" });
  });

  it("goes on delivering when the mailbox was away for a while", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    await using running = await startWebchat();
    running.mailbox.failure = new GatewayError("journal_unavailable", "Cannot read");
    await using client = await new Client(running.url).ready();
    while (!running.log.some(({ event }) => event === "webchat-mail-failed")) await fetch(`${running.url}/health`);
    running.mailbox.failure = null;
    running.mailbox.put(conversation, "late");
    t.mock.timers.tick(1_000);
    assert.equal((await client.next())["cursor"], 1);
  });

  it("says what was not accepted, and whether to try again", async () => {
    const failures = [
      new GatewayError("queue_full", "Cannot accept", { retry: { kind: "after", delayMs: 700 } }),
      new GatewayError("journal_unavailable", "Cannot accept"),
      new GatewayError("invalid_request", "Cannot accept"),
      new Error("secret detail"),
    ];
    await using running = await startWebchat({}, { emit: () => Promise.reject(failures.shift()) });
    await using client = await new Client(running.url).ready();
    const answers: unknown[] = [];
    for (let index = 0; index < 4; index += 1) {
      client.send({ type: "message", clientId: "c", text: "x" });
      const { error, retryAfterMs } = await client.next();
      answers.push([(error as { code: unknown }).code, retryAfterMs]);
      assert.doesNotMatch(JSON.stringify(error), /secret/u);
    }
    assert.deepEqual(answers, [
      ["queue_full", 700],
      ["journal_unavailable", 2_000],
      ["invalid_request", null],
      ["internal", 2_000],
    ]);
  });

  it("refuses an empty message, one that is too long, and too many at once", async () => {
    await using running = await startWebchat();
    await using client = await new Client(running.url).ready();
    client.send({ type: "message", clientId: "a", text: "  \n" });
    assert.deepEqual((await client.next())["retryAfterMs"], null);
    client.send({ type: "message", clientId: "b", text: "é".repeat(8_193) });
    assert.equal(((await client.next())["error"] as { code: unknown }).code, "too_large");
    client.send({ type: "message", clientId: "c", text: "é".repeat(8_192) });
    assert.equal((await client.next()).type, "accepted");
    for (let index = 0; index < 30; index += 1) client.send({ type: "message", clientId: `d${index}`, text: "x" });
    const types = new Map<string, number>();
    for (let index = 0; index < 30; index += 1) {
      const { type, retryAfterMs } = await client.next();
      types.set(type, (types.get(type) ?? 0) + 1);
      assert.ok(type === "accepted" || Number(retryAfterMs) > 0);
    }
    assert.ok((types.get("rejected") ?? 0) >= 5, "a burst of 20, then 5 a second");
  });

  it("wants the token in the first frame, and closes without it", async () => {
    await using running = await startWebchat({ authToken: "sesame" });
    for (const token of [undefined, "", "wrong"]) {
      await using client = await new Client(running.url).hello(0, token);
      const closed = client.closeCode();
      const denied = await client.next();
      assert.equal(denied.type, "denied");
      assert.equal((denied["error"] as { code: unknown }).code, "unauthorized");
      assert.equal(await closed, 4401);
    }
    await using client = await new Client(running.url).hello(0, "sesame");
    assert.deepEqual(await client.next(), { type: "ready" });
  });

  it("refuses foreign origins before there is a socket", async () => {
    await using running = await startWebchat({ allowedOrigins: ["https://www.example.com"] });
    assert.equal(await refusal(running.url, { origin: "https://evil.example" }), 403);
    assert.equal(await refusal(running.url, { origin: "null" }), 403);
    const { host } = new URL(running.url);
    await using own = new Client(running.url, { origin: `http://${host}` });
    await own.ready();
    await using allowed = new Client(running.url, { origin: "https://www.example.com" });
    await allowed.ready();
  });

  it("without a token, does not believe a name that a web page can point at this machine", async () => {
    await using running = await startWebchat();
    const headers = { host: "evil.example:8788" };
    assert.equal(await refusal(running.url, { origin: "http://evil.example:8788", headers }), 403);
  });

  it("closes a socket that breaks the protocol", async () => {
    await using running = await startWebchat();
    const cases: readonly (readonly [string, unknown, number])[] = [
      ["a message before the hello", JSON.stringify({ type: "message", clientId: "c", text: "x" }), 1008],
      ["no JSON", "{", 1008],
      ["bytes", Buffer.from("{}"), 1003],
      ["a frame over 64 KiB", JSON.stringify({ type: "ping", pad: "x".repeat(65_536) }), 1009],
    ];
    for (const [title, frame, code] of cases) {
      await using client = new Client(running.url);
      await once(client.socket, "open");
      const closed = client.closeCode();
      client.socket.send(frame as string);
      assert.equal(await closed, code, title);
    }
    await using twice = await new Client(running.url).ready();
    const closed = twice.closeCode();
    twice.send({ type: "hello", conversation, after: 0 });
    assert.equal(await closed, 1008);
  });

  it("closes a socket that floods it", async () => {
    await using running = await startWebchat();
    await using client = await new Client(running.url).ready();
    const closed = client.closeCode();
    for (let index = 0; index < 300; index += 1) client.send({ type: "ping" });
    assert.equal(await closed, 1008);
  });

  it("closes a socket that never says hello", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    await using running = await startWebchat();
    await using client = new Client(running.url);
    await once(client.socket, "open");
    const closed = client.closeCode();
    t.mock.timers.tick(10_000);
    assert.equal(await closed, 1008);
  });

  it("cuts a socket whose other end is gone, and keeps one that answers", async (t) => {
    t.mock.timers.enable({ apis: ["setInterval"] });
    await using running = await startWebchat();
    await using dead = await new Client(running.url, { autoPong: false }).ready();
    await using alive = await new Client(running.url).ready();
    const cut = dead.closeCode();
    for (let beat = 0; beat < 3; beat += 1) {
      const pinged = once(alive.socket, "ping");
      t.mock.timers.tick(20_000);
      await pinged;
      // The pong is on its way before this frame, and the server has read both when it answers.
      alive.send({ type: "ping" });
      assert.deepEqual(await alive.next(), { type: "pong" });
    }
    assert.equal(await cut, 1006);
    assert.equal(alive.socket.readyState, WebSocket.OPEN);
  });

  it("has room for a bounded number of sockets", async () => {
    const test = adapterContext<WebchatSettings>({
      settings: { port: 0, bind: "127.0.0.1", authToken: "", allowedOrigins: [], title: "", rateLimitPerSender: 5 },
    });
    const server = new ChatServer(test.context, await PageAssets.load(""), { sockets: 1, perAddress: 1 });
    await using listener = await HttpListener.start({
      port: 0,
      bind: "127.0.0.1",
      onRequest: (request, response) => server.handle(request, response),
      onUpgrade: (request, socket, head) => server.upgrade(request, socket, head),
      onError: () => {},
    });
    const url = `http://${addressText(listener)}`;
    {
      await using first = await new Client(url).ready();
      assert.equal(first.socket.readyState, WebSocket.OPEN);
      assert.equal(await refusal(url, {}), 503);
    }
    while ((await refusalOrNull(url)) !== null) await fetch(`${url}/health`);
    await server.stop();
  });

  it("serves its page with every wall up, and the title as text", async () => {
    await using running = await startWebchat({ title: `<script>"$&'` });
    const page = await fetch(running.url);
    const html = await page.text();
    assert.ok(html.includes("<title>&lt;script&gt;&quot;$&amp;&#39;</title>"));
    assert.doesNotMatch(html, /\{\{|<script>"|\son[a-z]+=|style=|https?:\/\//u);
    for (const asset of ["/", "/app.js", "/style.css", "/icon.svg", "/store.js"]) {
      const { status, headers } = await fetch(`${running.url}${asset}`);
      assert.equal(status, 200, asset);
      const policy = headers.get("content-security-policy") ?? "";
      for (const directive of ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"])
        assert.ok(policy.includes(directive), directive);
      assert.doesNotMatch(policy, /unsafe|\*|https?:/u);
      assert.equal(headers.get("x-content-type-options"), "nosniff");
      assert.equal(headers.get("referrer-policy"), "no-referrer");
    }
  });

  it("answers 304 for a page the browser has, 404, 405 and 400 for the rest", async () => {
    await using running = await startWebchat();
    const etag = (await fetch(running.url)).headers.get("etag") ?? "";
    assert.equal((await fetch(running.url, { headers: { "if-none-match": etag } })).status, 304);
    const statuses = await Promise.all(
      ["/../adapter.ts", "/page/app.js", "/nothing", "/ws"].map(
        async (path) => (await fetch(running.url + path)).status,
      ),
    );
    assert.deepEqual(statuses, [404, 404, 404, 400]);
    assert.equal((await fetch(running.url, { method: "POST" })).status, 405);
    const head = await fetch(running.url, { method: "HEAD" });
    assert.deepEqual([head.status, await head.text()], [200, ""]);
  });

  it("says that its port is in use", async () => {
    await using running = await startWebchat();
    const port = Number(new URL(running.url).port);
    await assert.rejects(startWebchat({ port }), {
      code: "conflict",
      message: `Cannot listen on 127.0.0.1:${port}: the port is in use`,
    });
  });

  it("stops: answers messages in progress, sends every page away to come back, frees the port", async () => {
    const onDisk = Promise.withResolvers<string>();
    const running = await startWebchat({}, { emit: () => onDisk.promise });
    await using client = await new Client(running.url).ready();
    client.send({ type: "message", clientId: "a", text: "x" });
    client.send({ type: "ping" });
    await client.next();
    const stopped = running.adapter.stop();
    client.send({ type: "message", clientId: "b", text: "x" });
    const refused = await client.next();
    assert.deepEqual([refused.type, refused["clientId"], refused["retryAfterMs"]], ["rejected", "b", 2_000]);
    const closed = client.closeCode();
    onDisk.resolve("m1");
    assert.deepEqual(await client.next(), { type: "accepted", clientId: "a", id: "m1" });
    assert.equal(await closed, 1001);
    await Promise.all([stopped, running.adapter.closed]);
    await using successor = await startWebchat({ port: Number(new URL(running.url).port) });
    await successor.adapter.probe?.();
  });
});
