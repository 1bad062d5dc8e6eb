import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Consumers } from "../../src/consume/consumers.ts";
import { GatewayError } from "../../src/contract/errors.ts";
import { decodeFrame, encodeFrame, frameKinds } from "../../src/contract/frame.ts";
import { consumerSpec } from "../support/consumer-spec.ts";
import { FakeHosts } from "../support/fake-hosts.ts";
import { FakeDispatcher } from "../support/fake-line.ts";
import { FakeServices } from "../support/fake-services.ts";
import { silentLogger } from "../support/silent-logger.ts";
import { turns } from "../support/turns.ts";

const signal = new AbortController().signal;
const module = { kind: "module", moduleUrl: "file:///handler.ts" } as const;

class Rig {
  readonly hosts = new FakeHosts();
  readonly dispatcher = new FakeDispatcher();
  /** `NAME: COMMANDS` of each time that somebody declared something. */
  readonly declared: string[] = [];
  readonly consumers: Consumers;
  #generation = 0;

  constructor() {
    this.consumers = new Consumers({
      hosts: this.hosts,
      dispatcher: this.dispatcher,
      services: new FakeServices(),
      logger: silentLogger,
      nextGeneration: () => (this.#generation += 1),
      onCommands: (name, commands) => this.declared.push(`${name}: ${commands.map((each) => each.name).join(" ")}`),
      counts: (name) => (name === "main" ? { pending: 4, dead: 1 } : undefined),
    });
  }
}

describe("Consumers", () => {
  it("starts each kind, and shows what flow counts for it", async () => {
    const { consumers, dispatcher } = new Rig();
    consumers.apply(consumerSpec());
    consumers.apply(consumerSpec({ name: "own", target: module }));
    consumers.apply(consumerSpec({ name: "later", target: { kind: "stream" } }));
    await dispatcher.line(2);
    assert.deepEqual(consumers.statuses(), [
      { name: "main", kind: "echo", inFlight: 0, pending: 4, dead: 1, host: null },
      { name: "own", kind: "module", inFlight: 0, pending: 0, dead: 0, host: 4000 },
      { name: "later", kind: "stream", inFlight: 0, pending: 0, dead: 0, host: null },
    ]);
    assert.equal(dispatcher.lines.length, 2);
    await consumers[Symbol.asyncDispose]();
    assert.deepEqual(consumers.statuses(), []);
  });

  it("leaves a consumer alone whose fingerprint is the same", async () => {
    const { consumers, dispatcher } = new Rig();
    consumers.apply(consumerSpec());
    consumers.apply(consumerSpec());
    await consumers.settled();
    assert.equal(dispatcher.lines.length, 1);
    assert.deepEqual([...consumers.specs.keys()], ["main"]);
  });

  it("starts a successor when its predecessor's handlers are done, and only the last of several", async () => {
    const { consumers, hosts, dispatcher } = new Rig();
    consumers.apply(consumerSpec({ target: module, fingerprint: "f1" }));
    const line = await dispatcher.line();
    line.deliver(["a"]);
    consumers.apply(consumerSpec({ target: module, fingerprint: "f2" }));
    consumers.apply(consumerSpec({ target: module, fingerprint: "f3" }));
    await turns();
    assert.ok(line.isDetached);
    assert.equal(hosts.opened.length, 1);
    await line.settle([{ receipt: "a", outcome: { kind: "ack" }, reply: null }]);
    await consumers.settled();
    assert.equal(hosts.live("consumer:main").length, 1);
    assert.equal(hosts.opened.length, 2);
    assert.equal(consumers.specs.get("main")?.fingerprint, "f3");
    await consumers.stop(0);
  });

  it("lets a predecessor's commands stand until its successor has declared its own, and takes back those of one that is gone", async () => {
    const { consumers, hosts, dispatcher, declared } = new Rig();
    const commands = (name: string) => [{ name, description: name, options: [], isPrivate: false }];
    const declare = (name: string): void =>
      hosts.last("consumer:main").emitEvent({ event: "commands", commands: commands(name) });
    consumers.apply(consumerSpec({ target: module, fingerprint: "f1" }));
    await dispatcher.line();
    declare("old");
    consumers.apply(consumerSpec({ target: module, fingerprint: "f2" }));
    await consumers.settled();
    assert.deepEqual(declared, ["main: old"]);
    await dispatcher.line(2);
    declare("new");
    assert.deepEqual(declared, ["main: old", "main: new"]);
    consumers.apply(consumerSpec({ fingerprint: "echo" }));
    await consumers.settled();
    assert.deepEqual(declared.slice(2), ["main: "]);
    consumers.apply(consumerSpec({ name: "other", target: module }));
    consumers.remove("other");
    await consumers.settled();
    assert.deepEqual(declared.slice(3), ["other: "]);
    await consumers.stop(0);
  });

  it("believes no commands that make no sense, and none of a consumer that is being stopped", async () => {
    const { consumers, hosts, dispatcher, declared } = new Rig();
    consumers.apply(consumerSpec({ target: module, fingerprint: "f1" }));
    const line = await dispatcher.line();
    const thread = hosts.last("consumer:main");
    const declare = (commands: unknown): void => {
      const event = { event: "commands", commands };
      thread.listener.onFrame(decodeFrame(encodeFrame(frameKinds.event, thread.request.generation, event)));
    };
    const status = { name: "status", description: "x", options: [], isPrivate: false };
    declare([status, { name: 7 }, null]);
    declare("all");
    assert.deepEqual(declared, ["main: status", "main: "]);
    line.deliver(["a"]);
    consumers.apply(consumerSpec({ target: module, fingerprint: "f2" }));
    declare([status]);
    assert.equal(declared.length, 2);
    await line.settle([{ receipt: "a", outcome: { kind: "ack" }, reply: null }]);
    await consumers.settled();
    await consumers.stop(0);
  });

  it("takes no commands back when the gateway itself ends", async () => {
    const { consumers, hosts, dispatcher, declared } = new Rig();
    consumers.apply(consumerSpec({ target: module }));
    await dispatcher.line();
    const commands = [{ name: "status", description: "x", options: [], isPrivate: false }];
    hosts.last("consumer:main").emitEvent({ event: "commands", commands });
    await consumers.stop(0);
    assert.deepEqual(declared, ["main: status"]);
  });

  it("keeps the predecessor when a change is taken back before it was made", async () => {
    const { consumers, dispatcher } = new Rig();
    consumers.apply(consumerSpec({ fingerprint: "f1" }));
    consumers.remove("main");
    consumers.apply(consumerSpec({ fingerprint: "f1" }));
    await consumers.settled();
    assert.equal(consumers.statuses().length, 1);
    const { lines } = dispatcher;
    assert.equal(lines.filter(({ isDetached }) => !isDetached).length, 1);
  });

  it("ends what was removed and forgets it", async () => {
    const { consumers, dispatcher } = new Rig();
    consumers.apply(consumerSpec());
    consumers.remove("main");
    consumers.remove("nobody");
    await consumers.settled();
    assert.ok((await dispatcher.line()).isDetached);
    assert.deepEqual(consumers.statuses(), []);
    assert.equal(consumers.specs.size, 0);
  });

  it("says of a module that its change is done once a thread of the new one runs", async () => {
    const { consumers, hosts, dispatcher } = new Rig();
    consumers.apply(consumerSpec({ target: module, fingerprint: "f1" }));
    const line = await dispatcher.line();
    line.deliver(["a"]);
    consumers.apply(consumerSpec({ target: module, fingerprint: "f2" }));
    let isOver = false;
    const outcome = consumers.outcome("main", signal).finally(() => (isOver = true));
    await turns();
    assert.equal(isOver, false, "its predecessor's handlers are not done");
    hosts.behave = () => ({ module: "hangs" });
    await line.settle([{ receipt: "a", outcome: { kind: "ack" }, reply: null }]);
    await consumers.settled();
    await turns();
    assert.equal(isOver, false, "its module is not loaded");
    hosts.last("consumer:main").emitEvent({ event: "loaded" });
    assert.equal(await outcome, null);
    await consumers.stop(0);
  });

  it("says why a module's first try failed, though it goes on trying", async () => {
    const { consumers, hosts } = new Rig();
    hosts.behave = ({ generation }) => ({ module: generation === 1 ? "hangs" : "loads" });
    consumers.apply(consumerSpec({ target: module }));
    const outcome = consumers.outcome("main", signal);
    await turns();
    const error = new GatewayError("config_invalid", "no such file").toReport();
    hosts.last("consumer:main").exit({ cause: "module_failed", error });
    assert.equal(await outcome, "The module could not be loaded: no such file");
    await turns();
    assert.equal(hosts.live("consumer:main").length, 1, "tried again");
    assert.equal(await consumers.outcome("main", signal), "The module could not be loaded: no such file");
    await consumers.stop(0);
  });

  it("has nothing to wait for where no thread is, and waits for the end of what was removed", async () => {
    const { consumers, dispatcher } = new Rig();
    consumers.apply(consumerSpec());
    assert.equal(await consumers.outcome("main", signal), null);
    consumers.remove("main");
    assert.equal(await consumers.outcome("main", signal), null);
    assert.ok((await dispatcher.line()).isDetached);
    assert.equal(await consumers.outcome("nobody", signal), null);
  });

  it("gives up waiting for an outcome with its signal", async () => {
    const { consumers, hosts } = new Rig();
    hosts.behave = () => ({ module: "hangs" });
    consumers.apply(consumerSpec({ target: module }));
    const waiting = new AbortController();
    const outcome = consumers.outcome("main", waiting.signal);
    await turns();
    waiting.abort(new Error("enough"));
    await assert.rejects(outcome, /enough/u);
    await consumers.stop(0);
  });

  it("gives the library its queue, and nobody else's", async () => {
    const { consumers } = new Rig();
    consumers.apply(consumerSpec());
    consumers.apply(consumerSpec({ name: "mine", target: { kind: "library" } }));
    assert.equal(consumers.library("mine").name, "mine");
    assert.throws(() => consumers.library("main"), { code: "not_found" });
    await consumers.stop(0);
  });
});
