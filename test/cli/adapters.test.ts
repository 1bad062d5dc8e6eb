import { after, before, describe, it } from "node:test";
import assert from "node:assert/strict";
import type { ReloadAction } from "../../src/contract/control.ts";
import { CliBench } from "../support/cli-bench.ts";

const action: ReloadAction = { key: "webhook", action: "replace", reason: "port changed", outcome: "done" };

describe("reload()", () => {
  let bench: CliBench;
  before(async () => {
    bench = await CliBench.start();
  });
  after(() => bench[Symbol.asyncDispose]());

  it("does not wait unless it is told to", async () => {
    bench.control.calls.length = 0;
    for (const parameters of [[], ["--wait"], ["--wait", "5"]])
      assert.equal((await bench.run("reload", ...parameters)).exitCode, 0);
    assert.deepEqual(bench.control.calls, [
      ["reload", { waitMs: 0 }],
      ["reload", { waitMs: 60_000 }],
      ["reload", { waitMs: 5000 }],
    ]);
  });

  it("exits 1 when an outcome failed, and shows them all", async () => {
    const actions: readonly ReloadAction[] = [action, { ...action, key: "webchat", outcome: "failed" }];
    bench.control.reloadReport = { ok: true, configGeneration: 9, actions };
    const { exitCode, out } = await bench.run("reload", "--wait");
    assert.equal(exitCode, 1);
    assert.deepEqual(out.split("\n").slice(0, 4), [
      "config 9",
      "KEY      ACTION   OUTCOME  REASON",
      "webhook  replace  done     port changed",
      "webchat  replace  failed   port changed",
    ]);
    const json = await bench.run("reload", "--wait", "--json");
    assert.deepEqual([json.exitCode, JSON.parse(json.out)], [1, { configGeneration: 9, actions }]);
  });

  it("exits 2 with every error when the config was refused", async () => {
    const errors = [
      { path: "journal.durability", message: "found 3", line: 12 },
      { path: "", message: "no TOML", line: null },
    ];
    bench.control.reloadReport = { ok: false, errors };
    const { exitCode, err } = await bench.run("reload");
    assert.equal(exitCode, 2);
    assert.match(err, /:12: journal\.durability: found 3\n|journal\.durability: found 3\n/);
    assert.match(err, /no TOML\nbulkhead: the config was refused, what runs goes on\n$/);
    assert.deepEqual(JSON.parse((await bench.run("reload", "--json")).out), { errors });
  });
});
