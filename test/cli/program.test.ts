import { after, before, beforeEach, describe, it } from "node:test";
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { GatewayError } from "../../src/contract/errors.ts";
import { CliBench } from "../support/cli-bench.ts";

describe("runProgram()", () => {
  let bench: CliBench;
  let directory: string;
  let file: string;
  before(async () => {
    bench = await CliBench.start();
    directory = await mkdtemp(path.join(tmpdir(), "bulkhead-cli-"));
    file = path.join(directory, "some.toml");
    await writeFile(file, "");
  });
  after(async () => {
    await bench[Symbol.asyncDispose]();
    await rm(directory, { recursive: true });
  });
  beforeEach(() => {
    bench.isRunning = true;
    bench.control.failure = null;
    bench.control.calls.length = 0;
  });

  it("exits 0 for help", async () => {
    const { exitCode, out } = await bench.run("--help");
    assert.equal(exitCode, 0);
    assert.match(out, /dead-letters/);
  });

  it("prints the version alone and exits 0", async () => {
    assert.deepEqual(await bench.run("--version"), { exitCode: 0, out: "1.2.3\n", err: "" });
  });

  for (const parameters of [
    [],
    ["nonsense"],
    ["status", "--nonsense"],
    ["restart"],
    ["send", "webhook/x"],
    ["--config", "/nonexistent/bulkhead.toml", "status"],
    ["check", "/nonexistent/bulkhead.toml"],
    ["start", "--config", "/nonexistent/bulkhead.toml"],
    ["reload", "--wait", "soon"],
    ["dead-letters", "retry"],
    ["dead-letters", "retry", "m1", "--all"],
  ])
    it(`exits 2 for: bulkhead ${parameters.join(" ")}`, async () => {
      const { exitCode, out } = await bench.run(...parameters);
      assert.deepEqual([exitCode, out], [2, ""]);
    });

  it("says a usage error in its own name", async () => {
    assert.match((await bench.run("nonsense")).err, /^bulkhead: unknown command 'nonsense'/);
    assert.equal(
      (await bench.run("check", "/nonexistent/x.toml")).err,
      "bulkhead: Cannot read config /nonexistent/x.toml: the file does not exist\n",
    );
  });

  for (const parameters of [
    ["status"],
    ["reload"],
    ["restart", "webhook"],
    ["pause", "webhook"],
    ["resume", "webhook"],
    ["tail"],
    ["send", "webhook/x", "hi"],
    ["dead-letters", "list"],
    ["dead-letters", "drop", "m1"],
  ])
    it(`exits 3 without a gateway for: bulkhead ${parameters.join(" ")}`, async () => {
      bench.isRunning = false;
      assert.deepEqual(await bench.run(...parameters), {
        exitCode: 3,
        out: "",
        err: "bulkhead: gateway not running: no token in /data\n",
      });
    });

  it("exits 1 with one sentence when the gateway answers an error", async () => {
    bench.control.failure = new GatewayError("conflict", "Cannot do it: \u001b[31mred");
    assert.deepEqual(await bench.run("restart", "webhook"), {
      exitCode: 1,
      out: "",
      err: "bulkhead: Cannot do it:  [31mred\n",
    });
  });

  it("starts with the file that --config names, before or after the command", async () => {
    assert.equal((await bench.run("start", "--config", file)).out, `started ${file}\n`);
    assert.equal((await bench.run("--config", file, "start")).out, `started ${file}\n`);
  });

  it("prints the schema", async () => {
    assert.deepEqual(JSON.parse((await bench.run("schema")).out), { type: "object" });
  });

  it("restarts, pauses and resumes", async () => {
    assert.deepEqual(await bench.run("restart", "webhook", "--shared"), {
      exitCode: 0,
      out: "webhook: restart requested, generation 2\n",
      err: "",
    });
    await bench.run("pause", "webhook");
    assert.deepEqual(JSON.parse((await bench.run("resume", "webhook", "--json")).out), {
      key: "webhook",
      generation: 2,
    });
    assert.deepEqual(bench.control.calls, [
      ["restart", "webhook", { shared: true }],
      ["pause", "webhook"],
      ["resume", "webhook"],
    ]);
  });

  it("exits 1 for an adapter that is not there", async () => {
    const { exitCode, err } = await bench.run("pause", "nobody:x");
    assert.equal(exitCode, 1);
    assert.match(err, /^bulkhead: Cannot find adapter "nobody:x"/);
  });
});
