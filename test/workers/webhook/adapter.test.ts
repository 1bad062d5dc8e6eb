import assert from "node:assert/strict";
import { once } from "node:events";
import { request, type IncomingMessage } from "node:http";
import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { describe, it } from "node:test";
import type { RunningAdapter } from "../../../src/contract/adapter.ts";
import { GatewayError } from "../../../src/contract/errors.ts";
import type { WebhookSettings } from "../../../src/contract/settings.ts";
import { signBody } from "../../../src/support/secret-matcher.ts";
import webhook from "../../../workers/webhook/adapter.ts";
import {
  adapterContext,
  listeningUrl,
  openPolicy,
  type AdapterContextOptions,
  type TestContext,
} from "../../support/adapter-context.ts";

type Running = TestContext<WebhookSettings> & {
  readonly adapter: RunningAdapter;
  readonly url: string;
  [Symbol.asyncDispose](): Promise<void>;
};

async function start(
  settings: Partial<WebhookSettings> = {},
  options: Partial<AdapterContextOptions<WebhookSettings>> = {},
): Promise<Running> {
  const test = adapterContext<WebhookSettings>({
    settings: { port: 0, bind: "127.0.0.1", authToken: "", signingSecret: "", rateLimitPerSender: 0, ...settings },
    ...options,
  });
  const adapter = await webhook.start(test.context);
  return { ...test, adapter, url: listeningUrl(test.log), [Symbol.asyncDispose]: () => adapter.stop() };
}

const json = { "content-type": "application/json" };

function post(url: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  return fetch(`${url}/send`, { method: "POST", headers: { ...json, ...headers }, body: JSON.stringify(body) });
}

async function poll(url: string, path: string): Promise<{ messages: readonly { content: string }[]; cursor: number }> {
  const response = await fetch(`${url}/poll/${path}`);
  assert.equal(response.status, 200);
  return (await response.json()) as { messages: readonly { content: string }[]; cursor: number };
}

async function errorCode(response: Response): Promise<unknown> {
  const { error } = (await response.json()) as { error: { code: unknown; message: unknown } };
  assert.equal(typeof error.message, "string");
  return error.code;
}

const hello = { conversation_id: "room", content: "hello" };

describe("webhook adapter", () => {
  it("answers 202 with the id once the gateway has the message", async () => {
    const onDisk = Promise.withResolvers<string>();
    await using running = await start({}, { emit: () => onDisk.promise });
    const answer = post(running.url, hello);
    const isEarly = await Promise.race([answer.then(() => true), fetch(`${running.url}/health`).then(() => false)]);
    assert.equal(isEarly, false);
    onDisk.resolve("m1");
    const response = await answer;
    assert.equal(response.status, 202);
    assert.deepEqual(await response.json(), { id: "m1" });
  });

  it("answers the same message_id with the same id and hands it over once", async () => {
    await using running = await start();
    const first = await (await post(running.url, { ...hello, message_id: "7" })).json();
    const second = await (await post(running.url, { ...hello, message_id: "7" })).json();
    assert.deepEqual(second, first);
    assert.equal(running.accepted.length, 1);
    await post(running.url, hello);
    await post(running.url, hello);
    assert.equal(running.accepted.length, 3);
  });

  it("gives a poll what waits, in order, and removes it once it is confirmed", async () => {
    await using running = await start();
    running.mailbox.put("room", "one");
    running.mailbox.put("room", { kind: "file", filename: "a", mimeType: "text/plain", data: "aGk=" });
    assert.deepEqual(await poll(running.url, "room?after=0"), {
      messages: [
        { cursor: 1, type: "text", content: "one" },
        { cursor: 2, type: "file", content: "", filename: "a", mime_type: "text/plain", data: "aGk=" },
      ],
      cursor: 2,
    });
    assert.deepEqual(await poll(running.url, "room?after=2"), { messages: [], cursor: 2 });
    assert.deepEqual(running.mailbox.waiting("room"), []);
  });

  it("gives a poll without a cursor what waits, once", async () => {
    await using running = await start();
    running.mailbox.put("room", "one");
    assert.equal((await poll(running.url, "room")).messages.length, 1);
    assert.equal((await poll(running.url, "room")).messages.length, 0);
    assert.deepEqual(running.mailbox.waiting("room"), []);
  });

  it("holds a poll until a reply comes", async () => {
    await using running = await start();
    const held = poll(running.url, "room?wait=60");
    await fetch(`${running.url}/health`);
    running.mailbox.put("room", "late");
    assert.deepEqual((await held).messages, [{ cursor: 1, type: "text", content: "late" }]);
  });

  it("removes nothing for a client that left before the answer", async () => {
    await using running = await start();
    const held = request(`${running.url}/poll/room?wait=60`).on("error", () => {});
    held.end();
    while (running.mailbox.held === 0) await fetch(`${running.url}/health`);
    const socket = held.socket;
    held.destroy();
    if (socket?.closed === false) await once(socket, "close");
    // Its end has reached the server before the second of these does.
    for (let round = 0; round < 2; round += 1) await fetch(`${running.url}/health`);
    running.mailbox.put("room", "still here");
    assert.deepEqual(
      (await poll(running.url, "room")).messages.map(({ content }) => content),
      ["still here"],
    );
  });

  it("serves a stream's text so far without moving the cursor", async () => {
    await using running = await start();
    running.mailbox.put("room", { kind: "stream_start" });
    const response = { kind: "stream_chunk", text: "so f" } as const;
    const { signal } = running.context;
    await running.adapter.send?.({ conversation: "room", replyTo: null, response, idempotencyKey: "1", signal });
    assert.deepEqual(await poll(running.url, "room?after=0"), {
      messages: [
        { cursor: 1, type: "stream_start", content: "" },
        { cursor: 1, type: "stream_chunk", content: "so f" },
      ],
      cursor: 1,
    });
  });

  it("says what it cannot push instead of losing it silently", async () => {
    await using running = await start();
    const send = { conversation: "room", replyTo: null, idempotencyKey: "1", signal: running.context.signal };
    await assert.rejects(
      running.adapter.send?.({ ...send, response: { kind: "text", text: "x" } }) ?? Promise.resolve(),
      {
        code: "unsupported_response",
      },
    );
  });

  it("refuses what it does not know, with the status that says so", async () => {
    await using running = await start();
    const cases: readonly (readonly [string, RequestInit, number, string])[] = [
      ["/nothing", {}, 404, "not_found"],
      ["/webhook", { method: "POST" }, 404, "not_found"],
      ["/send", {}, 405, "invalid_request"],
      ["/poll/room", { method: "DELETE" }, 405, "invalid_request"],
      ["/poll/room?wait=61", {}, 400, "invalid_request"],
      ["/send", { method: "POST", body: "{}", headers: { "content-type": "text/plain" } }, 415, "invalid_request"],
      [
        "/send",
        { method: "POST", body: "{}", headers: { "content-type": "application/jsonp" } },
        415,
        "invalid_request",
      ],
      ["/send", { method: "POST", body: "{", headers: json }, 400, "invalid_request"],
      ["/send", { method: "POST", body: "{}", headers: json }, 400, "invalid_request"],
      ["/send", { method: "POST", headers: json }, 400, "invalid_request"],
    ];
    for (const [path, init, status, code] of cases) {
      const response = await fetch(`${running.url}${path}`, init);
      assert.equal(response.status, status, path);
      assert.equal(await errorCode(response), code, path);
    }
    const wrongMethod = await fetch(`${running.url}/send`);
    assert.equal(wrongMethod.headers.get("allow"), "POST");
    assert.equal(running.accepted.length, 0);
    const charset = { "content-type": "application/json; charset=utf-8" };
    assert.equal(
      (await fetch(`${running.url}/send`, { method: "POST", body: JSON.stringify(hello), headers: charset })).status,
      202,
    );
  });

  it("wants the token for sending and polling, not for its health", async () => {
    await using running = await start({ authToken: "sesame" });
    for (const headers of [{}, { "x-webhook-token": "wrong" }, { authorization: "Bearer wrong" }]) {
      const refused = await post(running.url, hello, headers);
      assert.equal(refused.status, 401);
      assert.equal(await errorCode(refused), "unauthorized");
      assert.equal((await fetch(`${running.url}/poll/room`, { headers })).status, 401);
    }
    assert.equal((await fetch(`${running.url}/health`)).status, 200);
    assert.equal((await post(running.url, hello, { "x-webhook-token": "sesame" })).status, 202);
    assert.equal((await post(running.url, hello, { authorization: "Bearer sesame" })).status, 202);
    const headers = { "x-webhook-token": "sesame" };
    assert.equal((await fetch(`${running.url}/poll/room`, { headers })).status, 200);
  });

  it("takes a signature over timestamp and body instead", async () => {
    await using running = await start({ signingSecret: "key" });
    const timestamp = String(Math.floor(Date.now() / 1000));
    const signed = (body: string): Record<string, string> => ({
      "x-webhook-timestamp": timestamp,
      "x-webhook-signature": signBody("key", timestamp, Buffer.from(body)),
    });
    assert.equal((await post(running.url, hello)).status, 401);
    assert.equal((await post(running.url, hello, signed("{}"))).status, 401);
    assert.equal((await post(running.url, hello, signed(JSON.stringify(hello)))).status, 202);
    assert.equal((await fetch(`${running.url}/poll/room`)).status, 401);
    assert.equal((await fetch(`${running.url}/poll/room`, { headers: signed("") })).status, 200);
    assert.equal(running.accepted.length, 1);
  });

  it("takes a signature of the time that it is, wherever the clock was put since the start", async (t) => {
    await using running = await start({ signingSecret: "key" });
    const { now } = Date;
    for (const jumpMs of [3_600_000, -3_600_000]) {
      const clock = t.mock.method(Date, "now", () => now() + jumpMs);
      const timestamp = String(Math.floor(Date.now() / 1000));
      const headers = {
        "x-webhook-timestamp": timestamp,
        "x-webhook-signature": signBody("key", timestamp, Buffer.from(JSON.stringify(hello))),
      };
      assert.equal((await post(running.url, hello, headers)).status, 202);
      clock.mock.restore();
    }
  });

  it("without a token, does not serve a name that a web page can point at this machine", async () => {
    await using running = await start();
    const { port } = new URL(running.url);
    const [response] = (await once(
      request({ port, path: "/poll/room", headers: { host: `evil.example:${port}` } }).end(),
      "response",
    )) as [IncomingMessage];
    assert.equal(response.statusCode, 403);
    assert.match(await text(response), /forbidden/u);
  });

  it("refuses a body over the limit, announced or not, and follows a new limit at once", async () => {
    await using running = await start({}, { policy: { maxBodyBytes: 200 } });
    const large = JSON.stringify({ ...hello, content: "x".repeat(2_000_000) });
    const announced = await fetch(`${running.url}/send`, { method: "POST", headers: json, body: large });
    assert.equal(announced.status, 413);
    assert.equal(await errorCode(announced), "too_large");
    const stream = new Blob([large]).stream();
    const chunked = await fetch(`${running.url}/send`, { method: "POST", headers: json, body: stream, duplex: "half" });
    assert.equal(chunked.status, 413);
    await running.adapter.updatePolicy?.({ ...openPolicy, maxBodyBytes: 3_000_000 });
    assert.equal((await fetch(`${running.url}/send`, { method: "POST", headers: json, body: large })).status, 202);
  });

  it("reads a refused body to its end, so that the client sees the answer, and then closes", async () => {
    await using running = await start({}, { policy: { maxBodyBytes: 20 } });
    const socket = connect(Number(new URL(running.url).port), "127.0.0.1");
    const head = "POST /send HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json";
    socket.write(`${head}\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n${"x".repeat(64)}\r\n`);
    const [answer] = (await once(socket, "data")) as [Buffer];
    assert.match(answer.toString(), /^HTTP\/1\.1 413 /u);
    socket.write(`100\r\n${"x".repeat(256)}\r\n0\r\n\r\n`);
    await once(socket.resume(), "close");
  });

  it("asks a client that waits for leave to send, and refuses it before it sends too much", async () => {
    await using running = await start({}, { policy: { maxBodyBytes: 200 } });
    const { port } = new URL(running.url);
    const ask = (length: number): ReturnType<typeof request> =>
      request({
        port,
        method: "POST",
        path: "/send",
        headers: { ...json, expect: "100-continue", "content-length": length },
      });
    const refused = ask(201);
    refused.flushHeaders();
    const [early] = (await once(refused, "response")) as [IncomingMessage];
    assert.equal(early.statusCode, 413);
    refused.destroy();
    const body = JSON.stringify(hello);
    const allowed = ask(body.length);
    allowed.flushHeaders();
    await once(allowed, "continue");
    allowed.end(body);
    const [answer] = (await once(allowed, "response")) as [IncomingMessage];
    assert.equal(answer.statusCode, 202);
    answer.resume();
  });

  it("limits each sender on its own, saying when to come again", async () => {
    await using running = await start({ rateLimitPerSender: 1 });
    const statuses: number[] = [];
    for (let index = 0; index < 22; index += 1)
      statuses.push((await post(running.url, { ...hello, sender_id: "a" })).status);
    assert.equal(statuses.filter((status) => status === 202).length >= 20, true);
    const limited = await post(running.url, { ...hello, sender_id: "a" });
    assert.equal(limited.status, 429);
    assert.equal(await errorCode(limited), "rate_limited");
    assert.equal(limited.headers.get("retry-after"), "1");
    assert.equal((await post(running.url, { ...hello, sender_id: "b" })).status, 202);
  });

  for (const code of ["queue_full", "journal_unavailable", "adapter_unavailable", "timeout"] as const)
    it(`answers 503 with Retry-After when the gateway says ${code}`, async () => {
      const retry = { kind: "after", delayMs: 2_500 } as const;
      await using running = await start(
        {},
        { emit: () => Promise.reject(new GatewayError(code, "Cannot", { retry })) },
      );
      const response = await post(running.url, hello);
      assert.equal(response.status, 503);
      assert.equal(response.headers.get("retry-after"), "3");
      assert.equal(await errorCode(response), code);
    });

  it("tells a client nothing of an unexpected error, and the log everything", async () => {
    await using running = await start({}, { emit: () => Promise.reject(new Error("secret detail")) });
    const response = await post(running.url, hello);
    assert.equal(response.status, 503);
    assert.doesNotMatch(await response.text(), /secret/u);
    assert.ok(
      running.log.some(
        ({ event, fields }) => event === "webhook-request-failed" && fields["message"] === "secret detail",
      ),
    );
  });

  it("warns when everyone may send", async () => {
    await using open = await start();
    assert.ok(open.log.some(({ event }) => event === "webhook-open"));
    await using closed = await start({ authToken: "sesame" });
    assert.ok(!closed.log.some(({ event }) => event === "webhook-open"));
  });

  it("proves that it is alive over the network", async () => {
    const running = await start();
    await running.adapter.probe?.();
    await running.adapter.stop();
    await assert.rejects(running.adapter.probe?.() ?? Promise.resolve(), { code: "platform_unavailable" });
  });

  it("says that its port is in use", async () => {
    await using running = await start();
    const port = Number(new URL(running.url).port);
    await assert.rejects(start({ port }), {
      code: "conflict",
      message: `Cannot listen on 127.0.0.1:${port}: the port is in use`,
    });
  });

  it("stops: answers held polls and messages in progress, frees the port, closes every socket", async () => {
    const onDisk = Promise.withResolvers<string>();
    const running = await start({}, { emit: () => onDisk.promise });
    const port = Number(new URL(running.url).port);
    const held = poll(running.url, "room?after=4&wait=60");
    const sending = post(running.url, hello);
    const idle: Socket = connect(port, "127.0.0.1");
    await once(idle, "connect");
    const idleClosed = once(idle.resume(), "close");
    while (running.mailbox.held === 0) await fetch(`${running.url}/health`);
    const stopped = running.adapter.stop();
    assert.deepEqual(await held, { messages: [], cursor: 4 });
    onDisk.resolve("m1");
    assert.equal((await sending).status, 202);
    await Promise.all([stopped, idleClosed, running.adapter.closed]);
    await using successor = await start({ port });
    assert.equal((await fetch(`${successor.url}/health`)).status, 200);
  });

  it("stops twice without harm", async () => {
    const running = await start();
    await Promise.all([running.adapter.stop(), running.adapter.stop()]);
    await running.adapter.stop();
  });
});
