import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { GatewayError } from "../../src/contract/errors.ts";
import type { GenerationHandle, GenerationListener, OpenRequest } from "../../src/contract/host.ts";
import type { AdapterInit } from "../../src/contract/protocol.ts";
import { StandbyHosts } from "../../src/host/standby-hosts.ts";
import { parseEvent } from "../../src/supervise/thread-report.ts";
import { openPolicy } from "../support/adapter-spec.ts";
import { FakeHosts, type FakeGeneration } from "../support/fake-hosts.ts";
import { RecordingLogger } from "../support/recording-logger.ts";
import { turns } from "../support/turns.ts";

const signal = new AbortController().signal;
const settings = { token: "s3cret" };

class Rig {
  readonly fake = new FakeHosts();
  readonly logger = new RecordingLogger();
  readonly hosts: StandbyHosts;
  /** What the generations' owner has heard. */
  readonly heard: string[] = [];
  #lastGeneration = 0;
  #lastSpare = 100;

  constructor(t: TestContext) {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    this.hosts = new StandbyHosts({
      hosts: this.fake,
      nextGeneration: () => (this.#lastSpare += 1),
      logger: this.logger,
    });
  }

  /** Opens the next generation of `acme`, and lets its module load. */
  async open(change: Partial<OpenRequest> = {}): Promise<GenerationHandle> {
    this.#lastGeneration += 1;
    const generation = this.#lastGeneration;
    const init: AdapterInit = { key: "acme", platform: "acme", generation, settings, policy: openPolicy() };
    const handle = await this.hosts.open(
      {
        key: "acme",
        entry: "adapter",
        moduleUrl: "file:///acme.js",
        heapLimitMb: 512,
        init,
        generation,
        placement: "shared",
        standbyFor: "c1",
        signal,
        ...change,
      },
      this.#listener(generation),
    );
    await turns();
    return handle;
  }

  /** Opens and starts it, and lets its spare load. */
  async run(change: Partial<OpenRequest> = {}): Promise<GenerationHandle> {
    const handle = await this.open(change);
    await handle.call("start", {}, { deadlineMs: 1000, signal });
    await turns();
    return handle;
  }

  /** `acme 1` of each thread that was opened. */
  get opened(): readonly number[] {
    return this.fake.opened.map(({ request }) => request.generation);
  }

  get live(): readonly number[] {
    return this.fake.live("acme").map(({ request }) => request.generation);
  }

  thread(generation: number): FakeGeneration {
    const found = this.fake.opened.find(({ request }) => request.generation === generation);
    assert.ok(found !== undefined);
    return found;
  }

  #listener(generation: number): GenerationListener {
    const hear = (what: string): void => void this.heard.push(`${generation} ${what}`);
    return {
      onHostDelayed: () => hear("host delayed"),
      onFrame: (frame) => hear(parseEvent(frame)?.event ?? "frame"),
      onSample: () => hear("sample"),
      onDrained: () => hear("drained"),
      onExited: () => hear("exited"),
      onHostGone: () => hear("host gone"),
      onEvacuate: () => hear("evacuate"),
    };
  }
}

describe("StandbyHosts", () => {
  it("keeps no spare for who asks for none", async (t) => {
    const rig = new Rig(t);
    await rig.run({ standbyFor: null });
    assert.deepEqual(rig.opened, [1]);
    assert.deepEqual(rig.thread(1).calls, [{ method: "start", args: {} }]);
  });

  it("opens a spare once the adapter has started, and tells it no settings", async (t) => {
    const rig = new Rig(t);
    const handle = await rig.open();
    assert.deepEqual(rig.opened, [1]);
    await handle.call("start", {}, { deadlineMs: 1000, signal });
    await turns();
    assert.deepEqual(rig.opened, [1, 101]);
    const { init, placement, moduleUrl } = rig.thread(101).request;
    assert.deepEqual([placement, moduleUrl], ["shared", "file:///acme.js"]);
    assert.ok(!JSON.stringify(init).includes("s3cret"));
    assert.deepEqual(rig.thread(101).calls, []);
    assert.deepEqual(rig.heard, ["1 loaded"]);
  });

  it("makes the spare the next generation, which is told its settings by its start", async (t) => {
    const rig = new Rig(t);
    await rig.run();
    rig.thread(1).exit();
    rig.heard.length = 0;
    const handle = await rig.open();
    assert.deepEqual(rig.opened, [1, 101], "nothing else was opened");
    assert.deepEqual(rig.heard, ["2 loaded"]);
    await handle.call("start", {}, { deadlineMs: 1000, signal });
    const init = { key: "acme", platform: "acme", generation: 2, settings, policy: openPolicy() };
    assert.deepEqual(rig.thread(101).calls, [{ method: "start", args: { init } }]);
    await turns();
    assert.deepEqual(rig.opened, [1, 101, 102], "the next spare");
    rig.thread(101).sample();
    rig.thread(101).exit();
    assert.deepEqual(rig.heard, ["2 loaded", "2 sample", "2 exited", "2 drained"]);
  });

  it("ends a spare's thread with the signal of the generation that it became", async (t) => {
    const rig = new Rig(t);
    await rig.run();
    rig.thread(1).exit();
    const abort = new AbortController();
    await rig.open({ signal: abort.signal });
    abort.abort();
    assert.equal(rig.thread(101).terminateCount, 1);
  });

  const changes: readonly (readonly [title: string, change: Partial<OpenRequest>])[] = [
    ["other settings or another module file", { standbyFor: "c2" }],
    ["another module", { moduleUrl: "file:///other.js" }],
    ["another memory limit", { heapLimitMb: 1024 }],
    ["another place", { placement: "own" }],
    ["no standby", { standbyFor: null }],
  ];
  for (const [title, change] of changes)
    it(`does not use the spare for a successor with ${title}, and ends it`, async (t) => {
      const rig = new Rig(t);
      await rig.run();
      rig.thread(1).exit();
      await rig.open(change);
      assert.deepEqual(rig.opened, [1, 101, 2]);
      assert.deepEqual(rig.live, [2]);
    });

  it("waits for no spare that still loads", async (t) => {
    const rig = new Rig(t);
    rig.fake.behave = ({ generation }) => ({ module: generation === 101 ? "hangs" : "loads" });
    await rig.run();
    rig.thread(1).exit();
    await rig.open();
    assert.deepEqual(rig.live, [2]);
    assert.deepEqual(rig.logger.records, []);
  });

  it("gives up a spare that does not load in time, and says so", async (t) => {
    const rig = new Rig(t);
    rig.fake.behave = ({ generation }) => ({ module: generation === 101 ? "hangs" : "loads" });
    await rig.run();
    t.mock.timers.tick(30_000);
    await turns();
    assert.deepEqual(rig.live, [1]);
    assert.deepEqual(
      rig.logger.records.map(({ event, fields }) => [event, fields["key"]]),
      [["standby-failed", "acme"]],
    );
  });

  it("condemns the host of a spare that cannot be ended", async (t) => {
    const rig = new Rig(t);
    rig.fake.behave = ({ generation }) => ({ terminate: generation === 101 ? "survives" : "ends" });
    await rig.run();
    rig.thread(1).exit();
    await rig.open({ standbyFor: "c2" });
    t.mock.timers.tick(5000);
    assert.match(rig.thread(101).condemnReason ?? "", /survived/u);
    assert.equal(rig.thread(2).condemnReason, null);
  });

  it("opens a thread where the spare has ended, or its host has", async (t) => {
    for (const end of ["exit", "hostGone"] as const) {
      const rig = new Rig(t);
      await rig.run();
      rig.thread(101)[end]();
      rig.thread(1).exit();
      await rig.open();
      assert.deepEqual(rig.live, [2]);
      t.mock.timers.reset();
    }
  });

  it("moves a spare out of the way of a host that must end, and its adapter is told of its own", async (t) => {
    const rig = new Rig(t);
    await rig.run();
    rig.thread(101).listener.onEvacuate({ cause: "unkillable", keys: [] });
    assert.deepEqual(rig.live, [1]);
    rig.thread(1).listener.onEvacuate({ cause: "unkillable", keys: [] });
    assert.deepEqual(rig.heard, ["1 loaded", "1 evacuate"]);
  });

  it("ends a spare that nobody has needed for longer than the longest backoff", async (t) => {
    const rig = new Rig(t);
    await rig.run();
    rig.thread(1).exit();
    t.mock.timers.tick(60_000);
    assert.deepEqual(rig.live, [101]);
    t.mock.timers.tick(15_000);
    assert.deepEqual(rig.live, []);
  });

  it("keeps the spare of a generation that followed in time", async (t) => {
    const rig = new Rig(t);
    await rig.run();
    rig.thread(1).exit();
    await rig.run();
    t.mock.timers.tick(75_000);
    assert.deepEqual(rig.live, [101, 102]);
  });

  it("takes it calmly when no spare can be opened", async (t) => {
    const rig = new Rig(t);
    rig.fake.behave = ({ generation }) =>
      generation === 101 ? { open: new GatewayError("adapter_unavailable", "no host") } : {};
    await rig.run();
    assert.equal(rig.logger.records[0]?.event, "standby-failed");
    rig.thread(1).exit();
    await rig.run();
    assert.deepEqual(rig.live, [2, 102], "and tries again after the next start");
  });
});
