import { after, before, beforeEach, describe, it } from "node:test";
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { PlanAction } from "../../src/contract/control.ts";
import { CliBench } from "../support/cli-bench.ts";
import { config as loadedConfig } from "../support/config-fixture.ts";

const start: PlanAction = { key: "webhook", action: "start", reason: "new in the config", fields: [] };
const replace: PlanAction = { key: "webhook", action: "replace", reason: "changed", fields: ["port", "bind"] };

describe("plan()", () => {
  let bench: CliBench;
  let directory: string;
  let file: string;
  before(async () => {
    bench = await CliBench.start();
    directory = await mkdtemp(path.join(tmpdir(), "bulkhead-plan-"));
    file = path.join(directory, "next.toml");
    await writeFile(file, "# next\n");
  });
  after(async () => {
    await bench[Symbol.asyncDispose]();
    await rm(directory, { recursive: true });
  });
  beforeEach(() => {
    bench.isRunning = true;
    bench.control.calls.length = 0;
    bench.control.planReport = { configGeneration: 3, actions: [replace], errors: [] };
    bench.loaded = { ok: true, config: loadedConfig() };
    bench.planned = [start];
  });

  it("asks the running gateway about its own file", async () => {
    const { exitCode, out } = await bench.run("plan");
    assert.equal(exitCode, 0);
    assert.equal(
      out,
      "against the running gateway (config 3)\nACTION   KEY      REASON   FIELDS\nreplace  webhook  changed  port bind\n",
    );
    assert.deepEqual(bench.control.calls, [["plan", undefined]]);
  });

  it("sends the running gateway the file that is named", async () => {
    const { exitCode, out } = await bench.run("plan", file, "--json");
    assert.deepEqual([exitCode, JSON.parse(out)], [0, bench.control.planReport]);
    assert.deepEqual(bench.control.calls, [["plan", "# next\n"]]);
  });

  it("plans against nothing when no gateway runs", async () => {
    bench.isRunning = false;
    const { exitCode, out } = await bench.run("plan", file, "--json");
    assert.deepEqual([exitCode, JSON.parse(out)], [0, { configGeneration: 0, actions: [start], errors: [] }]);
    assert.match((await bench.run("plan", file)).out, /^no gateway is running: against nothing\n/);
  });

  it("exits 2 when there are errors, wherever they were found", async () => {
    const errors = [{ path: "gateway", message: "found 3", line: 1 }];
    bench.control.planReport = { configGeneration: 3, actions: [], errors };
    assert.equal((await bench.run("plan")).exitCode, 2);
    bench.isRunning = false;
    bench.loaded = { ok: false, errors };
    const { exitCode, err } = await bench.run("plan", file);
    assert.equal(exitCode, 2);
    assert.match(err, /next\.toml:1: gateway: found 3\n/);
  });
});
