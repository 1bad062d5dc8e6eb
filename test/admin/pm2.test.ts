import { describe, it } from "node:test";
import assert from "node:assert/strict";
import { assertNotClustered, pm2ChannelOf, sendReady, startPm2, type Pm2Channel } from "../../src/admin/pm2.ts";
import { silentLogger } from "../support/silent-logger.ts";
import { adapterStatus, FakeControl, gatewayStatus } from "../support/fake-control.ts";

class FakeChannel implements Pm2Channel {
  readonly sent: unknown[] = [];
  #listener: ((message: unknown) => void) | null = null;
  #onReply: ((reply: unknown) => void) | null = null;

  send(message: unknown): void {
    this.sent.push(message);
    if ((message as { type?: unknown }).type === "axm:reply") this.#onReply?.(message);
  }

  onMessage(listener: (message: unknown) => void): Disposable {
    this.#listener = listener;
    return { [Symbol.dispose]: () => (this.#listener = null) };
  }

  /** What pm2 sends, and the data of the reply to it. */
  async trigger(message: unknown): Promise<unknown> {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    this.#onReply = resolve;
    this.#listener?.(message);
    return ((await promise) as { data: unknown }).data;
  }

  ofType(type: string): readonly Record<string, unknown>[] {
    return this.sent
      .map((message) => message as { type: string; data: Record<string, unknown> })
      .filter((message) => message.type === type)
      .map((message) => message.data);
  }
}

describe("startPm2()", () => {
  it("announces its actions", () => {
    const channel = new FakeChannel();
    using _link = startPm2({ control: new FakeControl(), logger: silentLogger, channel });
    assert.deepEqual(channel.ofType("axm:action"), [
      { action_name: "restart-adapter", arity: 1 },
      { action_name: "pause-adapter", arity: 1 },
      { action_name: "resume-adapter", arity: 1 },
      { action_name: "reload-config", arity: 0 },
      { action_name: "status", arity: 0 },
    ]);
  });

  it("reports cpu, memory and state of each adapter every second", (t) => {
    t.mock.timers.enable({ apis: ["setInterval"] });
    const channel = new FakeChannel();
    using _link = startPm2({ control: new FakeControl(), logger: silentLogger, channel });
    t.mock.timers.tick(2000);
    const reports = channel.ofType("axm:monitor");
    assert.equal(reports.length, 2);
    assert.deepEqual(reports[0], {
      "webhook cpu": { value: "12.3", unit: "%" },
      "webhook mem": { value: "15.0", unit: "MiB" },
      "webhook state": { value: "running", unit: "" },
    });
  });

  it("overwrites what pm2 shows of a removed adapter", (t) => {
    t.mock.timers.enable({ apis: ["setInterval"] });
    const channel = new FakeChannel();
    const control = new FakeControl();
    control.current = gatewayStatus({
      adapters: [adapterStatus({ key: "webhook" }), adapterStatus({ key: "webchat" })],
    });
    using _link = startPm2({ control, logger: silentLogger, channel });
    t.mock.timers.tick(1000);
    control.current = gatewayStatus();
    t.mock.timers.tick(1000);
    const last = channel.ofType("axm:monitor").at(-1);
    assert.deepEqual(last?.["webchat state"], { value: "removed", unit: "" });
    assert.deepEqual(last?.["webhook state"], { value: "running", unit: "" });
  });

  it("goes on reporting after a report that failed", (t) => {
    t.mock.timers.enable({ apis: ["setInterval"] });
    const channel = new FakeChannel();
    const control = new FakeControl();
    t.mock.method(control, "status", () => assert.fail("not now"), { times: 1 });
    using _link = startPm2({ control, logger: silentLogger, channel });
    t.mock.timers.tick(2000);
    assert.equal(channel.ofType("axm:monitor").length, 1);
  });

  it("stops reporting and answering when it is disposed", (t) => {
    t.mock.timers.enable({ apis: ["setInterval"] });
    const channel = new FakeChannel();
    startPm2({ control: new FakeControl(), logger: silentLogger, channel })[Symbol.dispose]();
    t.mock.timers.tick(5000);
    assert.deepEqual(channel.ofType("axm:monitor"), []);
  });

  for (const [name, call] of [
    ["restart-adapter", ["restart", "webhook", { shared: false }]],
    ["pause-adapter", ["pause", "webhook"]],
    ["resume-adapter", ["resume", "webhook"]],
  ] as const)
    it(`runs ${name} with the runtime key as its parameter`, async () => {
      const channel = new FakeChannel();
      const control = new FakeControl();
      using _link = startPm2({ control, logger: silentLogger, channel });
      const reply = await channel.trigger({ msg: name, opts: "webhook", name: "bulkhead" });
      assert.deepEqual(reply, { action_name: name, return: { key: "webhook", generation: 2 } });
      assert.deepEqual(control.calls, [call]);
    });

  it("runs actions that come as a bare name", async () => {
    const channel = new FakeChannel();
    using _link = startPm2({ control: new FakeControl(), logger: silentLogger, channel });
    assert.deepEqual(await channel.trigger("reload-config"), {
      action_name: "reload-config",
      return: { ok: true, configGeneration: 4, actions: [] },
    });
    assert.deepEqual(await channel.trigger("status"), {
      action_name: "status",
      return: [{ key: "webhook", state: "running", reason: "none", restarts: 0 }],
    });
  });

  it("answers an action that failed with its error", async () => {
    const channel = new FakeChannel();
    using _link = startPm2({ control: new FakeControl(), logger: silentLogger, channel });
    const unknown = (await channel.trigger({ msg: "restart-adapter", opts: "nobody" })) as {
      return: { error: { code: string } };
    };
    assert.equal(unknown.return.error.code, "not_found");
    assert.deepEqual(await channel.trigger({ msg: "restart-adapter" }), {
      action_name: "restart-adapter",
      return: {
        error: { code: "invalid_request", message: "Cannot run restart-adapter: no parameter, expected a runtime key" },
      },
    });
  });

  it("ignores messages that are no action of ours", () => {
    const channel = new FakeChannel();
    const control = new FakeControl();
    using _link = startPm2({ control, logger: silentLogger, channel });
    void channel.trigger("shutdown");
    void channel.trigger(null);
    void channel.trigger({ msg: 7 });
    assert.deepEqual(control.calls, []);
  });
});

describe("pm2ChannelOf()", () => {
  const send = (): boolean => true;

  it("finds none in a process that pm2 did not start", () => {
    assert.equal(pm2ChannelOf({ env: { pm_id: "0" } } as unknown as NodeJS.Process), null);
    assert.equal(pm2ChannelOf({ env: {}, send } as unknown as NodeJS.Process), null);
  });

  it("survives a channel that is closed", () => {
    const sent: unknown[] = [];
    const target = {
      env: { pm_id: "0" },
      send: (message: unknown, _handle: unknown, _options: unknown, callback: (error: Error) => void) => {
        sent.push(message);
        callback(new Error("channel closed"));
        return false;
      },
    } as unknown as NodeJS.Process;
    sendReady(pm2ChannelOf(target));
    assert.deepEqual(sent, ["ready"]);
  });
});

describe("sendReady()", () => {
  it("does nothing without pm2", () => {
    sendReady(null);
  });
});

describe("assertNotClustered()", () => {
  it("refuses pm2's cluster mode with a sentence", () => {
    assert.throws(() => assertNotClustered({ exec_mode: "cluster_mode" }), {
      code: "config_invalid",
      message: /^Cannot start in pm2's cluster mode: .*fork mode/,
    });
  });

  it("accepts fork mode, which numbers its instance too, and no pm2 at all", () => {
    assertNotClustered({ exec_mode: "fork_mode", NODE_APP_INSTANCE: "0" });
    assertNotClustered({});
  });
});
