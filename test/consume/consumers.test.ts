import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Consumers } from "../../src/consume/consumers.ts";
import { consumerSpec } from "../support/consumer-spec.ts";
import { FakeHosts } from "../support/fake-hosts.ts";
import { FakeDispatcher } from "../support/fake-line.ts";
import { FakeServices } from "../support/fake-services.ts";
import { silentLogger } from "../support/silent-logger.ts";
import { turns } from "../support/turns.ts";

const module = { kind: "module", moduleUrl: "file:///handler.ts" } as const;

class Rig {
  readonly hosts = new FakeHosts();
  readonly dispatcher = new FakeDispatcher();
  readonly consumers: Consumers;
  #generation = 0;

  constructor() {
    this.consumers = new Consumers({
      hosts: this.hosts,
      dispatcher: this.dispatcher,
      services: new FakeServices(),
      logger: silentLogger,
      nextGeneration: () => (this.#generation += 1),
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

  it("gives the library its queue, and nobody else's", async () => {
    const { consumers } = new Rig();
    consumers.apply(consumerSpec());
    consumers.apply(consumerSpec({ name: "mine", target: { kind: "library" } }));
    assert.equal(consumers.library("mine").name, "mine");
    assert.throws(() => consumers.library("main"), { code: "not_found" });
    await consumers.stop(0);
  });
});
