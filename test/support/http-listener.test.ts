import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, get, type IncomingMessage, type RequestOptions } from "node:http";
import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { describe, it } from "node:test";
import { GatewayError } from "../../src/contract/errors.ts";
import { HttpListener, type HttpListenerOptions } from "../../src/support/http-listener.ts";
import { probeHttp } from "../../src/support/http-probe.ts";

function listen(options: Partial<HttpListenerOptions> = {}): Promise<HttpListener> {
  return HttpListener.start({
    port: 0,
    bind: "127.0.0.1",
    onRequest: (_request, response) => response.end("ok"),
    onError: () => {},
    ...options,
  });
}

async function fetchText(port: number, options: RequestOptions = {}): Promise<string> {
  const [response] = (await once(get({ host: "127.0.0.1", port, agent: false, ...options }), "response")) as [
    IncomingMessage,
  ];
  return text(response);
}

async function open(port: number, host = "127.0.0.1"): Promise<Socket> {
  const socket = connect(port, host);
  socket.on("error", () => {});
  await once(socket, "connect");
  return socket;
}

describe("HttpListener", () => {
  it("says which port is in use and what to do", async () => {
    await using first = await listen();
    await assert.rejects(listen({ port: first.port }), (error) => {
      assert.ok(error instanceof GatewayError);
      assert.equal(error.code, "conflict");
      assert.equal(error.message, `Cannot listen on 127.0.0.1:${first.port}: the port is in use`);
      assert.match(error.userAction ?? "", /another port/u);
      assert.equal(error.retry.kind, "backoff");
      return true;
    });
  });

  it("says that an address is not this machine's", async () => {
    await assert.rejects(listen({ bind: "203.0.113.7" }), { code: "config_invalid" });
  });

  it("listens on IPv6, with or without brackets", async () => {
    await using listener = await listen({ bind: "[::1]" });
    assert.equal(listener.host, "::1");
    assert.equal(await fetchText(listener.port, { host: "::1" }), "ok");
  });

  it("has freed the port when stop() resolves, so that a successor can have it", async () => {
    const first = await listen();
    const idle = await open(first.port);
    await first.stop(0);
    await first.closed;
    await using second = await listen({ port: first.port });
    assert.equal(await fetchText(second.port), "ok");
    idle.destroy();
  });

  it("lets a request in progress finish before it closes", async () => {
    const arrived = Promise.withResolvers<() => void>();
    const listener = await listen({
      onRequest: (_request, response) => arrived.resolve(() => void response.end("late")),
    });
    const answer = fetchText(listener.port, { agent: new Agent({ keepAlive: true }) });
    const finish = await arrived.promise;
    const stopped = listener.stop(60_000);
    await assert.rejects(
      open(listener.port).then((socket) => once(socket, "close")),
      "the port is closed at once",
    );
    finish();
    assert.equal(await answer, "late");
    await stopped;
  });

  it("cuts a request that does not finish in time", async () => {
    const arrived = Promise.withResolvers<void>();
    const listener = await listen({ onRequest: () => arrived.resolve() });
    const answer = fetchText(listener.port);
    await arrived.promise;
    await Promise.all([listener.stop(1), assert.rejects(answer)]);
  });

  it("rejects `closed` when the server ends by itself", async () => {
    const listener = await listen({
      onRequest: (request, response) => {
        response.shouldKeepAlive = false;
        response.end();
        // What nothing of ours does: the server is closed behind the adapter's back.
        (request.socket as Socket & { server: { close(): void } }).server.close();
      },
    });
    await Promise.all([assert.rejects(listener.closed, { code: "platform_unavailable" }), fetchText(listener.port)]);
  });

  it("closes a client that never finishes its headers", async () => {
    await using listener = await listen({ headersTimeoutMs: 30, checkIntervalMs: 10 });
    const socket = await open(listener.port);
    socket.write("GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ");
    assert.match(await text(socket), /^HTTP\/1\.1 408 /u);
  });

  it("closes a client that says nothing at all", async () => {
    await using listener = await listen({ headersTimeoutMs: 30, checkIntervalMs: 10 });
    const socket = await open(listener.port);
    socket.resume();
    await once(socket, "close");
  });

  it("closes a client that never finishes its body", async () => {
    await using listener = await listen({
      headersTimeoutMs: 20,
      requestTimeoutMs: 40,
      checkIntervalMs: 10,
      onRequest: () => {},
    });
    const socket = await open(listener.port);
    socket.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab");
    socket.resume();
    await once(socket, "close");
  });

  it("serves newcomers when idle connections fill it: the longest idle goes", async () => {
    await using listener = await listen({ maxConnections: 20 });
    const idle: Socket[] = [];
    for (let index = 0; index < 20; index += 1) idle.push(await open(listener.port));
    const [first] = idle;
    assert.ok(first !== undefined);
    first.resume();
    await Promise.all([once(first, "close"), fetchText(listener.port).then((body) => assert.equal(body, "ok"))]);
    for (const socket of idle) socket.destroy();
  });

  it("never closes a connection whose request is in progress for a new one", async () => {
    const arrived = Promise.withResolvers<() => void>();
    let isFirst = true;
    await using listener = await listen({
      maxConnections: 1,
      onRequest: (_request, response) => {
        if (isFirst) arrived.resolve(() => void response.end("served"));
        else response.end("second");
        isFirst = false;
      },
    });
    const answer = fetchText(listener.port);
    const finish = await arrived.promise;
    await assert.rejects(fetchText(listener.port));
    finish();
    assert.equal(await answer, "served");
  });
});

describe("probeHttp()", () => {
  it("resolves while the server answers, on a wildcard address too", async () => {
    await using listener = await listen({ bind: "0.0.0.0" });
    await probeHttp(listener, "/health");
  });

  it("rejects once nothing listens, and for a wrong answer", async () => {
    const listener = await listen({ onRequest: (_request, response) => void response.writeHead(500).end() });
    await assert.rejects(probeHttp(listener, "/health"), /found status 500, wanted 200/u);
    await listener.stop(0);
    await assert.rejects(probeHttp(listener, "/health"), { code: "platform_unavailable" });
  });

  it("rejects when no answer comes", async () => {
    await using listener = await listen({ onRequest: () => {} });
    await assert.rejects(probeHttp(listener, "/health", 30), /no answer within 30 ms/u);
  });
});
