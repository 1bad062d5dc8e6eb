import { describe, it } from "node:test";
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { AdminClient, AdminRefusal, NotRunningError } from "../src/admin-client.ts";
import { createMetrics } from "../src/admin/metrics.ts";
import { startAdminServer } from "../src/admin/server.ts";
import type { ListenAddress } from "../src/contract/config.ts";
import { silentLogger } from "./support/silent-logger.ts";
import { FakeControl } from "./support/fake-control.ts";

const token = "t".repeat(43);

function serve(listen: ListenAddress, control = new FakeControl()) {
  return startAdminServer({ listen, token, control, logger: silentLogger, metrics: createMetrics(control) });
}

async function listening(onConnection: (port: number) => Promise<void>, greet: (socket: Socket) => void) {
  const server = createServer(greet).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  try {
    await onConnection(address.port);
  } finally {
    server.close();
    await once(server, "close");
  }
}

describe("AdminClient", () => {
  it("asks over a unix socket", async () => {
    const directory = await mkdtemp(path.join(tmpdir(), "bulkhead-client-"));
    const listen: ListenAddress = { kind: "unix", path: path.join(directory, "admin.sock") };
    {
      await using _server = await serve(listen);
      const client = new AdminClient({ listen, token });
      assert.deepEqual(await client.call({ method: "GET", path: "/healthz" }), { status: "ok" });
    }
    await assert.rejects(new AdminClient({ listen, token }).call({ method: "GET", path: "/healthz" }), NotRunningError);
    await rm(directory, { recursive: true });
  });

  it("says that a gateway that is not listening is not running", async () => {
    const server = await serve({ kind: "tcp", host: "127.0.0.1", port: 0 });
    const port = Number(new URL(server.url).port);
    await server[Symbol.asyncDispose]();
    const client = new AdminClient({ listen: { kind: "tcp", host: "127.0.0.1", port }, token });
    await assert.rejects(client.call({ method: "GET", path: "/healthz" }), NotRunningError);
    await assert.rejects(client.events({ signal: new AbortController().signal }).next(), NotRunningError);
  });

  it("reaches a gateway that listens everywhere by loopback", async () => {
    await using server = await serve({ kind: "tcp", host: "0.0.0.0", port: 0 });
    const listen: ListenAddress = { kind: "tcp", host: "0.0.0.0", port: Number(new URL(server.url).port) };
    assert.deepEqual(await new AdminClient({ listen, token }).call({ method: "GET", path: "/healthz" }), {
      status: "ok",
    });
  });

  it("gives a refusal its code, status and issues", async () => {
    const control = new FakeControl();
    const issues = [{ path: "x", message: "y", line: 1 }];
    control.reloadReport = { ok: false, errors: issues };
    await using server = await serve({ kind: "tcp", host: "127.0.0.1", port: 0 }, control);
    const listen: ListenAddress = { kind: "tcp", host: "127.0.0.1", port: Number(new URL(server.url).port) };
    const refusal = { code: "config_invalid", status: 422, issues };
    await assert.rejects(new AdminClient({ listen, token }).call({ method: "POST", path: "/v1/reload" }), refusal);
    const stranger = new AdminClient({ listen, token: "another" });
    await assert.rejects(stranger.call({ method: "GET", path: "/v1/status" }), { code: "unauthorized", status: 401 });
    await assert.rejects(stranger.events({ signal: new AbortController().signal }).next(), AdminRefusal);
  });

  it("gives up on a gateway that does not answer", async () => {
    await listening(
      async (port) => {
        const client = new AdminClient({ listen: { kind: "tcp", host: "127.0.0.1", port }, token });
        await assert.rejects(client.call({ method: "GET", path: "/", timeoutMs: 20 }), { code: "timeout" });
      },
      (socket) => socket.on("error", () => {}).resume(),
    );
  });

  it("says that the connection broke", async () => {
    await listening(
      async (port) => {
        const client = new AdminClient({ listen: { kind: "tcp", host: "127.0.0.1", port }, token });
        await assert.rejects(client.call({ method: "GET", path: "/" }), { code: "platform_unavailable" });
      },
      (socket) => {
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf");
        socket.destroySoon();
      },
    );
  });
});
