/** The whole house: real processes, threads, sockets and the journal on disk. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { faultFolder, provokeDone } from "./support/fault-folder.ts";
import {
  faultAdapterPath,
  freePort,
  GatewayHome,
  WebhookClient,
  type RunningGateway,
} from "./support/gateway-fixture.ts";
import { processesOf } from "./support/processes-of.ts";

const echo = `[[consumers]]\nname = "main"\nbuiltin = "echo"\n`;

async function echoGateway(
  extra = "",
): Promise<{ home: GatewayHome; port: number; client: WebhookClient; config: string }> {
  const home = new GatewayHome();
  const port = await freePort();
  const config = `${echo}${extra}[messaging.webhook]\nport = ${port}\n`;
  home.writeConfig(config);
  return { home, port, client: new WebhookClient(port), config };
}

/** Quick retries: how long they take belongs to the benchmarks. */
const faultTable = (name: string, settings = ""): string =>
  `[messaging.${name}]\nmodule = "${faultAdapterPath}"\n[messaging.${name}.settings]\n${settings}\n`;

async function runningWebhook(gateway: RunningGateway): Promise<void> {
  await gateway.reached("webhook", "running");
}

describe("a gateway", () => {
  it("echoes what is posted to /send at /poll, through a host process, a thread and the journal", async () => {
    const { home, client } = await echoGateway();
    await using gateway = await home.start();
    await runningWebhook(gateway);
    assert.deepEqual(await client.roundTrip("room", "hello"), ["hello"]);
    const { adapters, hosts, coordinator, journal } = await gateway.status();
    assert.equal(adapters[0]?.messages.in, 1);
    assert.equal(adapters[0]?.messages.out, 1);
    assert.notEqual(adapters[0]?.host?.pid, gateway.pid);
    assert.equal(hosts.length, 1);
    assert.ok(coordinator.rssBytes > 0 && journal.bytes > 0);
  });

  it("answers the same message_id with the same id and delivers it once", async () => {
    const { home, client } = await echoGateway();
    await using gateway = await home.start();
    await runningWebhook(gateway);
    const message = { conversation_id: "room", content: "once", message_id: "m1" };
    const [first, second] = [await client.post(message), await client.post(message)];
    assert.deepEqual([first.status, second.status, first.id], [202, 202, second.id]);
    assert.deepEqual((await client.poll("room")).texts, ["once"]);
    assert.equal((await gateway.status()).adapters[0]?.messages.duplicates, 1);
  });

  it("drains and exits 0 on SIGTERM, and no host outlives it", async () => {
    const { home } = await echoGateway();
    await using gateway = await home.start();
    await runningWebhook(gateway);
    const hostPids = (await gateway.status()).hosts.map(({ pid }) => pid);
    gateway.signal("SIGTERM");
    assert.equal(await gateway.ended, 0);
    for (const pid of hostPids) assert.throws(() => process.kill(pid, 0), { code: "ESRCH" });
  });

  it("refuses a state directory that another gateway holds, naming the holder", async () => {
    const { home } = await echoGateway();
    await using gateway = await home.start();
    await assert.rejects(home.start(), (error: Error) => {
      assert.match(error.message, /ended \(1\)/);
      assert.match(error.message, new RegExp(`pid ${gateway.pid}`));
      return true;
    });
  });

  const faults: readonly (readonly [title: string, command: Readonly<Record<string, unknown>>, reason: string])[] = [
    ["throws", { do: "throw" }, "crashed"],
    ["rejects unhandled", { do: "reject" }, "crashed"],
    ["calls process.exit", { do: "exit" }, "exited"],
    ["ends its stream", { do: "close" }, "stream_ended"],
    ["leaks Buffers", { do: "leak-buffers", megabytesPerSecond: 200 }, "memory_limit"],
    ["leaks heap", { do: "leak-heap", megabytesPerSecond: 50 }, "memory_limit"],
  ];
  for (const [title, command, reason] of faults) {
    it(`restarts only an adapter that ${title}, with the reason ${reason}`, async () => {
      const { home, client } = await echoGateway(
        `${faultTable("fault")}[messaging.fault.supervisor]\nmemory_limit_mb = 64\n`,
      );
      await using gateway = await home.start();
      await runningWebhook(gateway);
      const before = await gateway.reached("fault", "running");
      await gateway.provoke("fault", command);
      const after = await gateway.reached("fault", "running", ({ generation }) => generation !== before.generation);
      assert.equal(after.restartsByReason[reason as "crashed"], 1);
      assert.deepEqual(await client.roundTrip("room", "still here"), ["still here"]);
      const webhook = (await gateway.status()).adapters.find(({ key }) => key === "webhook");
      assert.equal(webhook?.restarts, 0);
    });
  }

  for (const [title, command] of [
    ["kills its own process", { do: "kill-host" }],
    ["stops its process", { do: "stop-host" }],
  ] as const) {
    it(`replaces the host of an adapter that ${title}; the others are back, uncounted`, async () => {
      const { home, client } = await echoGateway(faultTable("fault"));
      await using gateway = await home.start();
      await runningWebhook(gateway);
      await gateway.reached("fault", "running");
      const before = await gateway.reached("webhook", "running");
      await gateway.provoke("fault", command);
      const after = await gateway.reached("webhook", "running", ({ generation }) => generation !== before.generation);
      assert.equal(after.attempt, 0);
      assert.ok(["host_died", "host_silent"].some((reason) => reason in after.restartsByReason));
      assert.deepEqual(await client.roundTrip("room", "back"), ["back"]);
    });
  }

  it("survives an adapter that fills a Map to the heap limit, whether its thread or V8 is ended first", async () => {
    const { home, client } = await echoGateway(faultTable("fault"));
    await using gateway = await home.start();
    await runningWebhook(gateway);
    const before = await gateway.reached("fault", "running");
    await gateway.provoke("fault", { do: "map-bomb" });
    const after = await gateway.reached("fault", "running", ({ generation }) => generation !== before.generation);
    const [reason] = Object.keys(after.restartsByReason);
    assert.ok(["memory_limit", "heap_exhausted", "host_died"].includes(reason ?? ""), `it restarted for ${reason}`);
    assert.equal((await gateway.reached("webhook", "running")).attempt, 0);
    assert.deepEqual(await client.roundTrip("room", "back"), ["back"]);
  });

  it("replaces an adapter that spins, as hung", async () => {
    const { home, client } = await echoGateway(
      `${faultTable("fault")}[messaging.fault.supervisor]\nhang_after_ms = 1000\n`,
    );
    await using gateway = await home.start();
    await runningWebhook(gateway);
    const before = await gateway.reached("fault", "running");
    await gateway.provoke("fault", { do: "spin" });
    const after = await gateway.reached("fault", "running", ({ generation }) => generation !== before.generation);
    assert.deepEqual(after.restartsByReason, { hung: 1 });
    assert.deepEqual(await client.roundTrip("room", "fine"), ["fine"]);
  });

  it("moves the others and kills the host of an adapter stuck in native code", async () => {
    const { home, client } = await echoGateway(
      `${faultTable("fault")}[messaging.fault.supervisor]\nhang_after_ms = 1000\nkill_timeout_ms = 500\n`,
    );
    await using gateway = await home.start();
    await runningWebhook(gateway);
    const before = await gateway.reached("fault", "running");
    await gateway.provoke("fault", { do: "hash" });
    const after = await gateway.reached("fault", "running", ({ generation }) => generation !== before.generation);
    assert.notEqual(after.host?.pid, before.host?.pid);
    const webhook = await gateway.reached("webhook", "running", ({ host }) => host?.pid !== before.host?.pid);
    assert.equal(webhook.attempt, 0);
    assert.deepEqual(await client.roundTrip("room", "fine"), ["fine"]);
  });

  for (const [title, command] of [
    ["blocked in a read", "fifo"],
    ["with jobs in the thread pool that never end", "pool-fifo"],
  ] as const)
    it(`moves the others and kills the host of an adapter ${title}, once an operator restarts it`, async () => {
      const home = new GatewayHome();
      const port = await freePort();
      const { modulePath, fifoPath } = faultFolder(home);
      home.writeConfig(
        `${echo}[messaging.webhook]\nport = ${port}\n[messaging.fault]\nmodule = "${modulePath}"\n` +
          `[messaging.fault.supervisor]\nstop_timeout_ms = 500\nkill_timeout_ms = 500\n` +
          `[messaging.apart]\nmodule = "${modulePath}"\n[messaging.apart.supervisor]\nisolation = "process"\n`,
      );
      await using gateway = await home.start();
      const [apart, before] = [await gateway.reached("apart", "running"), await gateway.reached("fault", "running")];
      await runningWebhook(gateway);
      await provokeDone(gateway, "fault", { do: command, path: fifoPath });
      assert.deepEqual(await new WebhookClient(port).roundTrip("room", "not yet"), ["not yet"], "nobody waits for it");
      assert.equal((await gateway.admin("POST", "/v1/adapters/fault/restart")).status, 202);
      const after = await gateway.reached("fault", "running", ({ generation }) => generation !== before.generation);
      assert.notEqual(after.host?.pid, before.host?.pid);
      assert.deepEqual([after.attempt, after.restarts], [0, 1]);
      await gateway.logged(
        ({ event, generation }) => event === "thread-unkillable" && generation === before.generation,
      );
      const webhook = await gateway.reached("webhook", "running", ({ host }) => host?.pid !== before.host?.pid);
      assert.deepEqual([webhook.attempt, webhook.restartsByReason], [0, { host_died: 1 }]);
      assert.deepEqual(await new WebhookClient(port).roundTrip("room", "fine"), ["fine"]);
      const { adapters } = await gateway.status();
      assert.equal(adapters.find(({ key }) => key === "apart")?.generation, apart.generation, "another host is let be");
      for (const { pid } of processesOf(home.dir))
        assert.notEqual(pid, before.host?.pid, "the old host is still there");
    });
});
