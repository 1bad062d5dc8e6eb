import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { ModuleConsumer } from "../../src/consume/module-consumer.ts";
import { HostPids } from "../../src/host/host-pids.ts";
import { HostPool } from "../../src/host/hosts.ts";
import { entries } from "../../workers/catalog.ts";
import { consumerSpec } from "../support/consumer-spec.ts";
import { FakeDispatcher } from "../support/fake-line.ts";
import { FakeServices } from "../support/fake-services.ts";
import { RecordingLogger } from "../support/recording-logger.ts";
import { silentLogger } from "../support/silent-logger.ts";

/** A consumer with real threads in a real host process. */
async function start(options: { readonly threads?: number; readonly module?: string } = {}) {
  await using opening = new AsyncDisposableStack();
  const dispatcher = new FakeDispatcher();
  const services = new FakeServices();
  const logger = new RecordingLogger();
  const hosts = opening.use(
    new HostPool({
      mode: "process",
      hostEntryUrl: entries.host,
      threadEntries: entries,
      maxAdapters: 100,
      memoryLimitMb: 2048,
      grants: null,
      moduleUrls: () => [],
      pids: new HostPids(mkdtempSync(join(tmpdir(), "bulkhead-consumer-"))),
      logger: silentLogger,
    }),
  );
  const moduleUrl = new URL(options.module ?? "../support/handler.ts", import.meta.url).href;
  let generation = 0;
  const declared: (readonly string[])[] = [];
  const consumer = opening.use(
    ModuleConsumer.start({
      spec: consumerSpec({ threads: options.threads ?? 1, target: { kind: "module", moduleUrl } }),
      moduleUrl,
      hosts,
      dispatcher,
      services,
      logger,
      nextGeneration: () => (generation += 1),
      heapLimitMb: 128,
      onCommands: (commands) => declared.push(commands.map(({ name }) => name)),
    }),
  );
  const owned = opening.move();
  return { consumer, dispatcher, services, logger, declared, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

describe("a consumer's thread", { timeout: 60_000 }, () => {
  it("handles, replies, rejects and logs in a process of its own", async () => {
    await using rig = await start({ threads: 2 });
    const line = await rig.dispatcher.line();
    assert.notEqual(rig.consumer.hostPid, process.pid);
    line.deliver(["a", "b", "early", "reject", "log"]);
    await line.until(() => line.settled.length === 5);
    const replies = new Map(line.replies);
    assert.deepEqual(
      ["a", "b", "early", "reject", "log"].map((receipt) => replies.get(receipt)),
      ["echo a", "echo b", "done", null, null],
    );
    assert.deepEqual(line.settled.find(({ receipt }) => receipt === "reject")?.outcome, {
      kind: "reject",
      reason: "no",
    });
    assert.deepEqual(
      rig.services.calls.map(({ name }) => name),
      ["replyNow"],
    );
    await rig.consumer.stop(1000);
    const logged = rig.logger.records.map(({ event, fields }) => [event, fields["text"] ?? fields["left"]]);
    assert.ok(logged.some(([event, text]) => event === "adapter-output" && text === "hello from the handler"));
    assert.ok(logged.some(([event, left]) => event === "low-on-ink" && left === 3));
  });

  it("declares its module's commands before it gets messages, and says which ones are wrong", async () => {
    const module = [
      `export default () => undefined;`,
      `export const commands = [{ name: "status", description: "How things are" }, { name: "No!", description: "x" }];`,
    ].join("\n");
    await using rig = await start({ module: `data:text/javascript,${encodeURIComponent(module)}` });
    const line = await rig.dispatcher.line();
    assert.deepEqual(rig.declared, [["status"]]);
    line.deliver(["a"]);
    await line.until(() => line.settled.length === 1);
    await rig.consumer.stop(1000);
    const skipped = rig.logger.records.filter(({ event }) => event === "command-skipped");
    assert.deepEqual(
      skipped.map(({ fields }) => [fields["consumer"], fields["command"], fields["field"]]),
      [["main", "No!", "commands[1].name"]],
    );
  });

  it("declares nothing where its module exports no commands", async () => {
    await using rig = await start();
    await rig.dispatcher.line();
    assert.deepEqual(rig.declared, [[]]);
  });

  it("is back after it ended itself, its message's attempt counted", async () => {
    await using rig = await start();
    const line = await rig.dispatcher.line();
    line.deliver(["crash"]);
    await line.until(() => line.released.length === 1);
    assert.deepEqual(line.released, [{ receipt: "crash", countAttempt: true, code: "worker_crashed" }]);
    line.deliver(["again"]);
    await line.until(() => line.settled.length === 1);
    assert.deepEqual(line.replies, [["again", "echo again"]]);
  });

  it("is back after its host was killed", async () => {
    await using rig = await start();
    const line = await rig.dispatcher.line();
    const { hostPid } = rig.consumer;
    assert.ok(hostPid !== null);
    line.deliver(["wait"]);
    process.kill(hostPid, "SIGKILL");
    await line.until(() => line.released.length === 1);
    assert.equal(line.released[0]?.countAttempt, true);
    line.deliver(["again"]);
    await line.until(() => line.settled.length === 1);
    assert.notEqual(rig.consumer.hostPid, hostPid);
  });

  it("ends with a handler that spins, and those beside it are not to blame", async () => {
    await using rig = await start();
    const line = await rig.dispatcher.line();
    line.deliver(["wait"]);
    line.deliver(["spin"]);
    rig.consumer.expire(["spin"]);
    await line.until(() => line.released.length === 2);
    assert.deepEqual(line.released, [
      { receipt: "wait", countAttempt: false, code: null },
      { receipt: "spin", countAttempt: true, code: "timeout" },
    ]);
  });

  it("tells a handler by its signal that its time is over", async () => {
    await using rig = await start();
    const line = await rig.dispatcher.line();
    line.deliver(["wait"]);
    rig.consumer.expire(["wait"]);
    await line.until(() => line.settled.length === 1);
    const outcome = line.settled[0]?.outcome;
    assert.ok(outcome?.kind === "nack");
    assert.equal(outcome.error?.code, "timeout");
  });

  it("says why a module is no consumer, and attaches nothing", async () => {
    await using rig = await start({ module: "../support/stored-payload.ts" });
    while (rig.consumer.error === null) await new Promise((resolve) => setImmediate(resolve));
    assert.match(rig.consumer.error, /default export is not of the expected shape/u);
    assert.equal(rig.dispatcher.lines.length, 0);
  });
});
