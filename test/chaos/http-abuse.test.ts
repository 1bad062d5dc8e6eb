/** Clients that mean harm, or do it without meaning to, at the webhook of a whole gateway. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { describe, it } from "node:test";
import { freePort, GatewayHome, WebhookClient, type RunningGateway } from "../support/gateway-fixture.ts";
import { rssBytesOf } from "../support/processes-of.ts";

async function startEcho(extra = ""): Promise<{ gateway: RunningGateway; port: number; client: WebhookClient }> {
  const home = new GatewayHome();
  const port = await freePort();
  home.writeConfig(`[[consumers]]\nname = "main"\nbuiltin = "echo"\n[messaging.webhook]\nport = ${port}\n${extra}`);
  const gateway = await home.start();
  await gateway.reached("webhook", "running");
  return { gateway, port, client: new WebhookClient(port) };
}

type Answer = { readonly status: number; readonly code: string };

async function send(
  port: number,
  init: Omit<RequestInit, "headers"> & { readonly headers?: Readonly<Record<string, string>> },
): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${port}/send`, {
    method: "POST",
    ...init,
    headers: { "content-type": "application/json", ...init.headers },
  });
  const { error } = (await response.json()) as { readonly error?: { readonly code: string } };
  return { status: response.status, code: error?.code ?? "" };
}

/** A socket that is open; its errors are expected. */
async function open(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  await once(socket, "connect");
  return socket;
}

describe("a webhook under abuse", { concurrency: true }, () => {
  it("refuses what is too long, no JSON or without the right token, and serves the next one", async () => {
    const { gateway: started, port, client } = await startEcho();
    await using gateway = started;
    const tenMegabytes = JSON.stringify({ conversation_id: "room", content: "x".repeat(10 * 2 ** 20) });
    assert.deepEqual(await send(port, { body: tenMegabytes }), { status: 413, code: "too_large" });
    const unannounced = new ReadableStream({
      start(controller) {
        for (let index = 0; index < 40; index += 1) controller.enqueue(Buffer.alloc(262_144, "x"));
        controller.close();
      },
    });
    const duplex = { body: unannounced, duplex: "half" as const };
    assert.deepEqual(await send(port, duplex), { status: 413, code: "too_large" });
    for (const body of ["", "{", '"text"', "[]", "null", '{"conversation_id":"room"}', Buffer.from([0xff, 0xfe])])
      assert.deepEqual(await send(port, { body }), { status: 400, code: "invalid_request" }, String(body));
    const deep = `${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`;
    assert.equal((await send(port, { body: deep })).status, 400);
    assert.deepEqual(await client.roundTrip("room", "fine"), ["fine"]);
    const [adapter] = (await gateway.status()).adapters;
    assert.deepEqual([adapter?.restarts, adapter?.messages.in], [0, 1]);
  });

  it("lets nobody in with a wrong token or none", async () => {
    const { gateway: started, port } = await startEcho('auth_token = "right-token"\n');
    await using gateway = started;
    const body = JSON.stringify({ conversation_id: "room", content: "hello" });
    for (const headers of [
      {},
      { "x-webhook-token": "wrong-token" },
      { authorization: "Bearer right-toke" },
      { authorization: "Basic right-token" },
    ])
      assert.deepEqual(await send(port, { body, headers }), { status: 401, code: "unauthorized" });
    assert.equal((await fetch(`http://127.0.0.1:${port}/poll/room`)).status, 401);
    assert.equal((await send(port, { body, headers: { "x-webhook-token": "right-token" } })).status, 202);
    assert.equal((await gateway.status()).adapters[0]?.messages.in, 1);
  });

  it(
    "closes connections that take forever over their headers, and those that speak no HTTP",
    { timeout: 40_000 },
    async () => {
      const { gateway: started, port, client } = await startEcho();
      await using gateway = started;
      const slow = await Promise.all(Array.from({ length: 100 }, () => open(port)));
      for (const socket of slow) socket.write("POST /send HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ");
      const closed = slow.map(async (socket) => {
        // Another byte must not keep it alive: the time is that of the headers as a whole.
        socket.write("x");
        socket.resume();
        await once(socket, "close");
      });
      const strange = await open(port);
      strange.write("\x16\x03\x01 not a request\r\n\r\n");
      const [answer] = (await once(strange, "data")) as [Buffer];
      assert.match(answer.toString("latin1"), /^HTTP\/1\.1 400 /u);
      const long = await open(port);
      long.write(`GET /health HTTP/1.1\r\nHost: a\r\nX-Long: ${"x".repeat(100_000)}\r\n\r\n`);
      const [refusal] = (await once(long, "data")) as [Buffer];
      assert.match(refusal.toString("latin1"), /^HTTP\/1\.1 431 /u);
      assert.deepEqual(await client.roundTrip("room", "meanwhile"), ["meanwhile"]);
      await Promise.all(closed);
      assert.equal((await gateway.status()).adapters[0]?.restarts, 0);
    },
  );

  it("serves others while 10,000 sockets are open and idle", { timeout: 60_000 }, async () => {
    const { gateway: started, port, client } = await startEcho();
    await using gateway = started;
    const [host] = (await gateway.status()).hosts;
    assert.ok(host !== undefined);
    const sockets: Socket[] = [];
    let closedByServer = 0;
    for (let batch = 0; batch < 100; batch += 1) {
      const opened = await Promise.allSettled(Array.from({ length: 100 }, () => open(port)));
      for (const result of opened) {
        if (result.status !== "fulfilled") continue;
        result.value.once("close", () => (closedByServer += 1));
        result.value.resume();
        sockets.push(result.value);
      }
      // This process may have no more: what it has must do.
      if (opened.some(({ status }) => status === "rejected")) break;
    }
    assert.ok(sockets.length >= 500, `only ${sockets.length} sockets could be opened`);
    for (let index = 0; index < 20; index += 1)
      assert.deepEqual(await client.roundTrip(`room-${index}`, "fine"), ["fine"]);
    assert.ok(sockets.length - closedByServer >= Math.min(sockets.length, 8_000), `${closedByServer} were closed`);
    assert.ok(rssBytesOf(host.pid) < 600 * 2 ** 20, `${rssBytesOf(host.pid)} bytes`);
    const { adapters, coordinator } = await gateway.status();
    assert.equal(adapters[0]?.restarts, 0);
    assert.ok(coordinator.rssBytes < 400 * 2 ** 20);
    for (const socket of sockets) socket.destroy();
    assert.deepEqual(await client.roundTrip("room", "after"), ["after"]);
  });
});
