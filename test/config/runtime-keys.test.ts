import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { listRuntimeKeys } from "../../src/config/runtime-keys.ts";

describe("listRuntimeKeys()", () => {
  it("lists the default key, then the instances in their order", () => {
    const root = {
      port: 1,
      instances: [
        { name: "b", port: 2 },
        { name: "a", enabled: false },
      ],
    };
    assert.deepEqual(
      listRuntimeKeys("webhook", root).map(({ key, path, table, isEnabled }) => [key, path, table, isEnabled]),
      [
        ["webhook", "messaging.webhook", { port: 1 }, true],
        ["webhook:b", "messaging.webhook.instances[0]", { port: 2 }, true],
        ["webhook:a", "messaging.webhook.instances[1]", { enabled: false }, false],
      ],
    );
  });

  it("gives instances of one name one key, with an issue that names each of them", () => {
    const root = { instances: [{ name: "ops", enabled: false }, { name: "x" }, { name: "ops" }] };
    const [, ops, other] = listRuntimeKeys("webhook", root);
    assert.deepEqual(ops?.issues, [
      {
        path: "messaging.webhook.instances[0].name",
        message: "found the name of messaging.webhook.instances[2], expected a name of its own",
      },
      {
        path: "messaging.webhook.instances[2].name",
        message: "found the name of messaging.webhook.instances[0], expected a name of its own",
      },
    ]);
    assert.equal(ops.isEnabled, true);
    assert.equal(other?.key, "webhook:x");
  });

  const badNames: readonly unknown[] = [
    undefined,
    3,
    "",
    " a",
    "a ",
    "default",
    "DEFAULT",
    "a:b",
    "a/b",
    "a\nb",
    "n".repeat(65),
  ];
  for (const name of badNames) {
    it(`refuses the name ${JSON.stringify(name)?.slice(0, 20)}`, () => {
      const [, instance] = listRuntimeKeys("slack", { instances: [name === undefined ? {} : { name }] });
      assert.equal(instance?.key, "slack:instances[0]");
      assert.equal(instance.issues[0]?.path, "messaging.slack.instances[0].name");
    });
  }

  it("takes a name of 64 characters, digits or dots", () => {
    for (const name of ["n".repeat(64), "42", "a.b c", "Größe"]) {
      const [, instance] = listRuntimeKeys("slack", { instances: [{ name }] });
      assert.deepEqual([instance?.key, instance?.issues], [`slack:${name}`, []]);
    }
  });
});
