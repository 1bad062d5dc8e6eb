import { after, before, describe, it, type TestContext } from "node:test";
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rename, rm, stat, writeFile } from "node:fs/promises";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { createMetrics } from "../../src/admin/metrics.ts";
import { startAdminServer, type AdminLimits, type AdminServer } from "../../src/admin/server.ts";
import type { ListenAddress } from "../../src/contract/config.ts";
import { GatewayError } from "../../src/contract/errors.ts";
import { silentLogger } from "../support/silent-logger.ts";
import { FakeControl, deadLetterRow, gatewayStatus } from "../support/fake-control.ts";

const { Request: OriginalRequest, Response: OriginalResponse } = globalThis;
const token = "t".repeat(43);
const loopback: ListenAddress = { kind: "tcp", host: "127.0.0.1", port: 0 };

function start(
  control: FakeControl,
  options: { readonly listen?: ListenAddress; readonly limits?: Partial<AdminLimits> } = {},
): Promise<AdminServer> {
  const { listen = loopback, limits = {} } = options;
  return startAdminServer({ listen, token, control, logger: silentLogger, metrics: createMetrics(control), limits });
}

type Answer = { readonly status: number; readonly body: unknown; readonly headers: Headers };

async function ask(server: AdminServer, method: string, where: string, init: RequestInit = {}): Promise<Answer> {
  const headers = new Headers(init.headers);
  if (!headers.has("authorization")) headers.set("authorization", `Bearer ${token}`);
  const answer = await fetch(server.url + where, { ...init, method, headers });
  const text = await answer.text();
  const isJson = answer.headers.get("content-type")?.startsWith("application/json") === true;
  return { status: answer.status, body: isJson ? JSON.parse(text) : text, headers: answer.headers };
}

/** For what fetch does not let through: the Host header. */
async function raw(server: AdminServer, where: string, headers: Record<string, string>): Promise<IncomingMessage> {
  const outgoing = httpRequest(server.url + where, { headers: { authorization: `Bearer ${token}`, ...headers } });
  outgoing.end();
  const [answer] = (await once(outgoing, "response")) as [IncomingMessage];
  answer.resume();
  return answer;
}

function errorOf(answer: Answer): { code?: string; message?: string; path?: string } {
  return (answer.body as { error?: { code: string; message: string } }).error ?? {};
}

describe("startAdminServer()", () => {
  const control = new FakeControl();
  let server: AdminServer;
  before(async () => {
    server = await start(control);
  });
  after(() => server[Symbol.asyncDispose]());

  /** Calls since the last look. */
  const calls = (): readonly unknown[] => control.calls.splice(0);

  const failWith = (t: TestContext, failure: Error): void => {
    control.failure = failure;
    t.after(() => {
      control.failure = null;
    });
  };

  it("says where it listens", () => {
    assert.match(server.address, /^127\.0\.0\.1:\d+$/);
    assert.equal(server.url, `http://${server.address}`);
  });

  it("answers /healthz and /readyz without a token", async () => {
    const headers = { authorization: "" };
    assert.equal((await ask(server, "GET", "/healthz", { headers })).status, 200);
    assert.equal((await ask(server, "GET", "/readyz", { headers })).status, 200);
  });

  it("answers /readyz with 503 until it is ready", async (t) => {
    control.ready = false;
    t.after(() => {
      control.ready = true;
    });
    const answer = await ask(server, "GET", "/readyz");
    assert.equal(answer.status, 503);
    assert.deepEqual(errorOf(answer), {
      code: "journal_unavailable",
      message: "Not ready: the first reconcile is not done",
    });
  });

  for (const [title, authorization] of [
    ["no token", ""],
    ["another token", `Bearer ${"x".repeat(43)}`],
    ["a shorter token", "Bearer t"],
    ["another scheme", `Basic ${token}`],
  ] as const)
    it(`answers 401 to ${title}, also where there is nothing`, async () => {
      for (const where of ["/v1/status", "/metrics", "/v1/send", "/nowhere"]) {
        const answer = await ask(server, "GET", where, { headers: { authorization } });
        assert.equal(answer.status, 401);
        assert.equal(answer.headers.get("www-authenticate"), "Bearer");
        assert.equal(errorOf(answer).code, "unauthorized");
        assert.equal(JSON.stringify(answer.body).includes(token), false);
      }
    });

  it("answers /metrics as Prometheus text", async () => {
    const answer = await ask(server, "GET", "/metrics");
    assert.match(answer.headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/);
    assert.match(String(answer.body), /^bulkhead_adapter_up\{adapter="webhook"\} 1$/m);
  });

  it("answers /v1/status with the status as it is", async () => {
    assert.deepEqual((await ask(server, "GET", "/v1/status")).body, JSON.parse(JSON.stringify(gatewayStatus())));
  });

  it("plans against the file, or against the TOML in the body", async () => {
    assert.deepEqual((await ask(server, "GET", "/v1/plan")).body, { configGeneration: 3, actions: [], errors: [] });
    await ask(server, "POST", "/v1/plan", { body: "[gateway]\n" });
    assert.deepEqual(calls(), [
      ["plan", undefined],
      ["plan", "[gateway]\n"],
    ]);
  });

  it("reloads, waiting as long as it is told", async () => {
    const answer = await ask(server, "POST", "/v1/reload");
    assert.deepEqual(answer.body, { configGeneration: 4, actions: [] });
    await ask(server, "POST", "/v1/reload?wait=7");
    assert.deepEqual(calls(), [
      ["reload", { waitMs: 0 }],
      ["reload", { waitMs: 7000 }],
    ]);
  });

  it("answers a refused reload with 422 and every error", async (t) => {
    const { reloadReport } = control;
    t.after(() => {
      control.reloadReport = reloadReport;
    });
    const errors = [{ path: "journal.durability", message: "found 3", line: 12 }];
    control.reloadReport = { ok: false, errors };
    const answer = await ask(server, "POST", "/v1/reload");
    assert.equal(answer.status, 422);
    assert.deepEqual((answer.body as { errors: unknown }).errors, errors);
    assert.deepEqual(errorOf(answer), {
      code: "config_invalid",
      message: "Cannot reload: found 3",
      path: "journal.durability",
    });
  });

  for (const wait of ["-1", "1e3", "abc", "999999", ""])
    it(`answers 400 to wait=${wait}`, async () => {
      const answer = await ask(server, "POST", `/v1/reload?wait=${wait}`);
      assert.equal(answer.status, 400);
      assert.equal(errorOf(answer).path, "wait");
    });

  it("restarts, pauses and resumes an adapter, its key plain or encoded", async (t) => {
    const { current } = control;
    t.after(() => {
      control.current = current;
    });
    const [adapter] = current.adapters;
    assert.ok(adapter);
    control.current = { ...current, adapters: [{ ...adapter, key: "discord:ops" }] };
    calls();
    for (const where of [
      "discord:ops/restart",
      "discord%3Aops/restart?shared=true",
      "discord:ops/pause",
      "discord%3aops/resume",
    ]) {
      const answer = await ask(server, "POST", `/v1/adapters/${where}`);
      assert.deepEqual([answer.status, answer.body], [202, { key: "discord:ops", generation: 2 }]);
    }
    assert.deepEqual(calls(), [
      ["restart", "discord:ops", { shared: false }],
      ["restart", "discord:ops", { shared: true }],
      ["pause", "discord:ops"],
      ["resume", "discord:ops"],
    ]);
  });

  it("answers 404 for an adapter that is not there", async () => {
    for (const where of ["restart", "pause", "resume"]) {
      const answer = await ask(server, "POST", `/v1/adapters/nobody/${where}`);
      assert.deepEqual([answer.status, errorOf(answer).code], [404, "not_found"]);
    }
    assert.equal((await ask(server, "GET", "/v1/adapters/nobody/history")).status, 404);
  });

  it("answers an adapter's history", async () => {
    const answer = await ask(server, "GET", "/v1/adapters/webhook/history");
    assert.deepEqual(answer.body, {
      key: "webhook",
      history: [{ at: "2026-01-01T00:00:00.000Z", generation: 1, state: "running", reason: "none", message: null }],
    });
  });

  it("accepts a send of a text or of a response", async () => {
    calls();
    const text = JSON.stringify({ target: "webhook/room", text: "hi" });
    const answer = await ask(server, "POST", "/v1/send", { body: text });
    assert.deepEqual([answer.status, answer.body], [202, { id: "s1", state: "queued" }]);
    const reaction = { target: "webhook/room", response: { kind: "reaction", emoji: "+1" }, idempotencyKey: "k" };
    await ask(server, "POST", "/v1/send", { body: JSON.stringify(reaction) });
    assert.deepEqual(calls(), [
      ["send", { target: "webhook/room", response: { kind: "text", text: "hi" }, idempotencyKey: null }],
      ["send", { target: "webhook/room", response: { kind: "reaction", emoji: "+1" }, idempotencyKey: "k" }],
    ]);
  });

  for (const [title, body, field] of [
    ["neither text nor response", { target: "a/b" }, "text"],
    ["both text and response", { target: "a/b", text: "x", response: { kind: "text", text: "y" } }, "text"],
    ["no target", { text: "x" }, "target"],
    ["an unknown key", { target: "a/b", text: "x", color: 1 }, ""],
    ["an empty idempotency key", { target: "a/b", text: "x", idempotencyKey: "" }, "idempotencyKey"],
    ["no object", [], ""],
  ] as const)
    it(`answers 400 to a send with ${title}`, async () => {
      const answer = await ask(server, "POST", "/v1/send", { body: JSON.stringify(body) });
      assert.deepEqual([answer.status, errorOf(answer).code, errorOf(answer).path], [400, "invalid_request", field]);
    });

  it("answers 400 to a response of no known kind, and to what is no JSON", async () => {
    const wrong = JSON.stringify({ target: "a/b", response: { kind: "telepathy" } });
    for (const body of [wrong, "{", ""]) {
      const answer = await ask(server, "POST", "/v1/send", { body });
      assert.deepEqual([answer.status, errorOf(answer).code], [400, "invalid_request"]);
    }
  });

  it("answers a send's report without the error's stack", async () => {
    const error = {
      code: "timeout",
      message: "late",
      stack: "at x.ts",
      retry: { kind: "backoff" },
      userAction: null,
    } as const;
    control.sendReports = [{ id: "s1", state: "failed", receipt: null, error }];
    assert.deepEqual((await ask(server, "GET", "/v1/sends/s1")).body, {
      id: "s1",
      state: "failed",
      receipt: null,
      error: { code: "timeout", message: "late" },
    });
    control.sendReports = [];
    assert.equal((await ask(server, "GET", "/v1/sends/s9")).status, 404);
  });

  it("responds to a message", async () => {
    calls();
    const answer = await ask(server, "POST", "/v1/messages/m%2F1/respond", { body: JSON.stringify({ text: "yes" }) });
    assert.deepEqual([answer.status, answer.body], [202, { id: "s2", state: "queued" }]);
    assert.deepEqual(calls(), [
      ["respond", { messageId: "m/1", response: { kind: "text", text: "yes" }, idempotencyKey: null }],
    ]);
  });

  it("lists, shows, retries and drops dead letters", async () => {
    const letter = {
      seq: 11,
      id: "m1",
      key: "webhook",
      conversation: "room",
      consumer: "main",
      attempt: 5,
      bytes: 100,
      receivedAt: "2026-01-01T00:00:00.000Z",
      deadAt: "2026-01-01T00:01:00.000Z",
      reason: "max_attempts",
      error: { code: "internal", message: "boom" },
    };
    assert.deepEqual((await ask(server, "GET", "/v1/dead-letters")).body, { deadLetters: [letter] });
    const shown = (await ask(server, "GET", "/v1/dead-letters/m1")).body as { message: { text: string } };
    assert.deepEqual(shown, { ...letter, message: shown.message });
    assert.equal(shown.message.text, "hello");
    assert.equal((await ask(server, "POST", "/v1/dead-letters/m1/retry")).status, 202);
    assert.equal((await ask(server, "DELETE", "/v1/dead-letters/m1")).status, 200);
    for (const [method, where] of [
      ["GET", "m9"],
      ["POST", "m9/retry"],
      ["DELETE", "m9"],
    ] as const)
      assert.equal((await ask(server, method, `/v1/dead-letters/${where}`)).status, 404);
  });

  it("pages dead letters", async (t) => {
    const { deadLetterRows } = control;
    t.after(() => {
      control.deadLetterRows = deadLetterRows;
    });
    control.deadLetterRows = [1, 2, 3].map((seq) => deadLetterRow({ seq, id: `m${seq}` }));
    const page = (await ask(server, "GET", "/v1/dead-letters?after=1&limit=1")).body as {
      deadLetters: { seq: number }[];
    };
    assert.deepEqual(
      page.deadLetters.map(({ seq }) => seq),
      [2],
    );
  });

  for (const [code, status] of [
    ["not_found", 404],
    ["conflict", 409],
    ["queue_full", 503],
    ["journal_unavailable", 503],
    ["adapter_unavailable", 503],
    ["timeout", 504],
    ["unsupported_response", 422],
  ] as const)
    it(`answers ${code} with ${status}`, async (t) => {
      failWith(t, new GatewayError(code, "Cannot do it"));
      const answer = await ask(server, "GET", "/v1/plan");
      assert.deepEqual([answer.status, errorOf(answer)], [status, { code, message: "Cannot do it" }]);
    });

  it("says when to come back", async (t) => {
    failWith(t, new GatewayError("rate_limited", "Cannot yet", { retry: { kind: "after", delayMs: 2100 } }));
    const answer = await ask(server, "GET", "/v1/plan");
    assert.deepEqual([answer.status, answer.headers.get("retry-after")], [429, "3"]);
  });

  it("answers 500 to what nobody foresaw", async (t) => {
    failWith(t, new TypeError("x is not a function"));
    const answer = await ask(server, "GET", "/v1/plan");
    assert.deepEqual([answer.status, errorOf(answer).code], [500, "internal"]);
  });

  it("answers 404 where there is nothing and 405 where there is another method", async () => {
    assert.equal(errorOf(await ask(server, "GET", "/v1/nothing")).code, "not_found");
    assert.equal((await ask(server, "GET", "/v1/nothing")).status, 404);
    const answer = await ask(server, "DELETE", "/v1/status");
    assert.equal(answer.status, 405);
    assert.equal(answer.headers.get("allow"), "GET, HEAD");
    assert.deepEqual(errorOf(answer), {
      code: "invalid_request",
      message: "Cannot DELETE /v1/status: expected GET, HEAD",
    });
    assert.equal((await ask(server, "GET", "/v1/adapters/webhook/restart")).headers.get("allow"), "POST");
  });

  it("answers 413 to a body over 1 MiB, announced or not, and takes one below it", async () => {
    const large = "#".repeat(1024 * 1024 + 1);
    const announced = await ask(server, "POST", "/v1/plan", { body: large });
    assert.deepEqual([announced.status, errorOf(announced).code], [413, "too_large"]);
    const stream = ReadableStream.from([new TextEncoder().encode(large)]);
    const chunked = await ask(server, "POST", "/v1/plan", { body: stream, duplex: "half" });
    assert.deepEqual([chunked.status, errorOf(chunked).code], [413, "too_large"]);
    assert.equal((await ask(server, "POST", "/v1/plan", { body: large.slice(1) })).status, 200);
  });

  it("refuses a page of another origin, whatever token it has", async () => {
    for (const origin of ["https://evil.example", "null", `http://${server.address}.evil.example`]) {
      const answer = await ask(server, "POST", "/v1/reload", { headers: { origin } });
      assert.deepEqual([answer.status, errorOf(answer).code], [403, "forbidden"]);
    }
    assert.equal((await ask(server, "POST", "/v1/reload", { headers: { origin: server.url } })).status, 200);
  });

  it("refuses a name that was made to point at loopback", async () => {
    assert.equal((await raw(server, "/v1/status", { host: "evil.example:8787" })).statusCode, 403);
    assert.equal((await raw(server, "/healthz", { host: "evil.example" })).statusCode, 403);
    assert.equal((await raw(server, "/v1/status", { host: "localhost:1" })).statusCode, 200);
    assert.equal((await raw(server, "/v1/status", { host: "[::1]:8787" })).statusCode, 200);
  });

  it("answers a request it cannot read with the usual record", async () => {
    const answer = await raw(server, "/healthz", { host: "a b" });
    assert.equal(answer.statusCode, 400);
    assert.equal(answer.headers["content-type"], "application/json");
  });

  it("leaves the process's own Request and Response alone", () => {
    assert.equal(globalThis.Request, OriginalRequest);
    assert.equal(globalThis.Response, OriginalResponse);
  });
});

describe("startAdminServer() and its address", () => {
  it("says in one sentence that a port is in use", async () => {
    await using first = await start(new FakeControl());
    const port = Number(first.address.split(":")[1]);
    await assert.rejects(start(new FakeControl(), { listen: { kind: "tcp", host: "127.0.0.1", port } }), {
      name: "GatewayError",
      code: "conflict",
      message: `Cannot listen on 127.0.0.1:${port}: the address is in use, expected a free one`,
    });
  });

  it("says that an address is not this machine's", async () => {
    await assert.rejects(start(new FakeControl(), { listen: { kind: "tcp", host: "192.0.2.1", port: 0 } }), {
      code: "invalid_request",
      message: /^Cannot listen on 192\.0\.2\.1:0: EADDRNOTAVAIL/,
    });
  });

  describe("on a unix socket", () => {
    let directory: string;
    let listen: ListenAddress & { readonly kind: "unix" };
    before(async () => {
      directory = await mkdtemp(path.join(tmpdir(), "bulkhead-admin-"));
      listen = { kind: "unix", path: path.join(directory, "admin.sock") };
    });
    after(() => rm(directory, { recursive: true }));

    it("answers its owner only, under any host name, and leaves nothing behind", async () => {
      {
        await using server = await start(new FakeControl(), { listen });
        assert.equal(server.address, `unix:${listen.path}`);
        assert.equal((await stat(listen.path)).mode & 0o777, 0o600);
        const outgoing = httpRequest({ socketPath: listen.path, path: "/healthz", headers: { host: "anything" } });
        outgoing.end();
        const [answer] = (await once(outgoing, "response")) as [IncomingMessage];
        answer.resume();
        assert.equal(answer.statusCode, 200);
      }
      await assert.rejects(stat(listen.path), { code: "ENOENT" });
    });

    it("replaces the socket of a dead process", async () => {
      const dead = createServer().listen(listen.path);
      await once(dead, "listening");
      // What a kill leaves: a socket file nobody listens on.
      await rename(listen.path, `${listen.path}.kept`);
      dead.close();
      await once(dead, "close");
      await rename(`${listen.path}.kept`, listen.path);
      await using server = await start(new FakeControl(), { listen });
      assert.equal(server.address, `unix:${listen.path}`);
    });

    it("leaves the socket of a living process, and a file that is none, alone", async () => {
      {
        await using _first = await start(new FakeControl(), { listen });
        await assert.rejects(start(new FakeControl(), { listen }), { code: "conflict" });
        assert.ok((await stat(listen.path)).isSocket());
      }
      await writeFile(listen.path, "precious");
      await assert.rejects(start(new FakeControl(), { listen }), { code: "conflict" });
      assert.ok((await stat(listen.path)).isFile());
    });
  });
});

describe("startAdminServer() under load", () => {
  it("closes a connection that never sends its headers", async () => {
    const limits = { headersTimeoutMs: 20, requestTimeoutMs: 20, connectionCheckMs: 10 };
    await using server = await start(new FakeControl(), { limits });
    const socket = connect(Number(server.address.split(":")[1]), "127.0.0.1");
    socket.write("GET /healthz HTTP/1.1\r\nHost: 127");
    socket.resume();
    await once(socket, "close");
  });

  it("drops connections beyond its limit", async () => {
    await using server = await start(new FakeControl(), { limits: { maxConnections: 1 } });
    const port = Number(server.address.split(":")[1]);
    const first = connect(port, "127.0.0.1");
    await once(first, "connect");
    const second = connect(port, "127.0.0.1").on("error", () => {});
    let answer = "";
    second.on("data", (chunk) => (answer += String(chunk)));
    second.write("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    await once(second, "close");
    assert.equal(answer, "");
    first.destroy();
  });

  it("ends open connections and streams when it is disposed, twice harmlessly", async () => {
    const server = await start(new FakeControl());
    const stream = await fetch(`${server.url}/v1/events`, { headers: { authorization: `Bearer ${token}` } });
    const idle = connect(Number(server.address.split(":")[1]), "127.0.0.1").resume();
    await once(idle, "connect");
    await server[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
    assert.match(await stream.text(), /^retry: 1000/);
    if (!idle.destroyed) await once(idle, "close");
  });
});
