import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { CommandDeclaration } from "../../src/contract/command.ts";
import type { RouterSpec } from "../../src/contract/spec.ts";
import { CommandDirectory } from "../../src/gateway/command-directory.ts";
import { binding, routerSpec } from "../support/flow-fixture.ts";
import { MemoryStore } from "../support/supervision-rig.ts";

function command(name: string, description = name): CommandDeclaration {
  return { name, description, options: [], isPrivate: false };
}

/** A directory, and how often it has told of a change. */
async function create(options: {
  readonly router?: RouterSpec;
  readonly store?: MemoryStore;
  readonly consumers?: readonly string[];
}) {
  const { router = routerSpec(), store = new MemoryStore(), consumers = ["main", "other", "third"] } = options;
  const changes = { count: 0 };
  const directory = await CommandDirectory.start({
    router,
    store,
    consumers: new Set(consumers),
    onChange: () => (changes.count += 1),
  });
  const names = (key: string): readonly string[] => directory.of(key).map(({ name }) => name);
  return { directory, changes, store, names };
}

describe("CommandDirectory", () => {
  it("offers what the consumers of an adapter's bindings declare, the first binding's first", async () => {
    const router = routerSpec({
      bindings: [
        binding({ channel: "discord", guildId: "1", consumer: "other" }),
        binding({ channel: "discord", consumer: "main" }),
        binding({ channel: "discord", guildId: "2", consumer: "other" }),
        binding({ channel: "discord", adapter: "ops", consumer: "third" }),
      ],
    });
    const { directory, names } = await create({ router });
    directory.set("main", [command("status", "of main"), command("help")]);
    directory.set("other", [command("ask"), command("status", "of other")]);
    directory.set("third", [command("deploy")]);
    assert.deepEqual(names("discord"), ["ask", "status", "help"]);
    assert.equal(directory.of("discord")[1]?.description, "of other");
    assert.deepEqual(names("discord:ops"), ["deploy"]);
  });

  it("offers the default consumer's where an adapter has no binding, and not beside its bindings", async () => {
    const router = routerSpec({ bindings: [binding({ channel: "discord", consumer: "other" })] });
    const { directory, names } = await create({ router });
    directory.set("main", [command("status")]);
    assert.deepEqual(names("telegram"), ["status"]);
    assert.deepEqual(names("discord:ops"), ["status"]);
    assert.deepEqual(names("discord"), []);
  });

  it("answers with the same array until something in it changes", async () => {
    const { directory, changes } = await create({});
    directory.set("main", [command("status")]);
    const before = directory.of("webhook");
    directory.set("main", [command("status")]);
    directory.set("other", [command("ask")]);
    directory.applyRouter(routerSpec());
    assert.equal(directory.of("webhook"), before);
    assert.equal(changes.count, 3, "an equal declaration is no change");
    directory.set("main", [command("status", "How things are")]);
    assert.notEqual(directory.of("webhook"), before);
  });

  it("follows other bindings and another default consumer", async () => {
    const { directory, names } = await create({});
    directory.set("main", [command("status")]);
    directory.set("other", [command("ask")]);
    directory.applyRouter(routerSpec({ defaultConsumer: "other" }));
    assert.deepEqual(names("webhook"), ["ask"]);
    directory.applyRouter(routerSpec({ bindings: [binding({ consumer: "main" })], defaultConsumer: "other" }));
    assert.deepEqual(names("webhook"), ["status"]);
  });

  it("takes back what a consumer that is gone had declared", async () => {
    const { directory, names, store } = await create({});
    directory.set("main", [command("status")]);
    directory.set("main", []);
    assert.deepEqual(names("webhook"), []);
    assert.deepEqual(store.scopes["commands"], {});
  });

  it("knows after a restart what was declared, so that no adapter takes its commands back meanwhile", async () => {
    const store = new MemoryStore();
    const before = await create({ store });
    before.directory.set("main", [command("status")]);
    before.directory.set("third", [command("deploy")]);
    const after = await create({ store, consumers: ["main"] });
    assert.deepEqual(after.names("webhook"), ["status"]);
    assert.deepEqual(
      Object.keys(store.scopes["commands"] ?? {}),
      ["main"],
      "what is no longer configured is forgotten",
    );
  });

  it("takes what it cannot read as nothing", async () => {
    const store = new MemoryStore();
    store.put("commands", "main", "{");
    store.put("commands", "other", '[{"name":7}]');
    const { names } = await create({ store, router: routerSpec({ defaultConsumer: "main" }) });
    assert.deepEqual(names("webhook"), []);
  });
});
