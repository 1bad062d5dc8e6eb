import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import type { Inspection } from "../../src/contract/control.ts";
import { GatewayError } from "../../src/contract/errors.ts";
import { CliBench } from "../support/cli-bench.ts";

describe("inspect()", () => {
  const folder = mkdtempSync(join(tmpdir(), "bulkhead-inspect-"));
  const taken = join(folder, "taken");
  let bench: CliBench;
  before(async () => {
    bench = await CliBench.start();
  });
  after(async () => {
    await bench[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });
  beforeEach(() => {
    bench.control.calls.splice(0);
    for (const name of readdirSync(folder)) rmSync(join(folder, name));
    bench.control.inspection = (): Inspection => {
      writeFileSync(taken, '{"nodes": []}');
      return { path: taken, name: "webhook.heapsnapshot", [Symbol.asyncDispose]: async () => rmSync(taken) };
    };
  });

  it("writes a heap snapshot where it is told, for the user alone, and says where", async () => {
    const out = join(folder, "mine");
    assert.deepEqual(await bench.run("heap-snapshot", "webhook", "--out", out), {
      exitCode: 0,
      out: `${out}\n`,
      err: "",
    });
    assert.equal(readFileSync(out, "utf8"), '{"nodes": []}');
    assert.equal(statSync(out).mode & 0o777, 0o600);
    assert.deepEqual(bench.control.calls, [["inspect", { key: "webhook", kind: "heapSnapshot", seconds: 0 }]]);
    assert.equal(existsSync(taken), false, "the gateway keeps no copy");
  });

  it("asks for a profile of so many seconds, ten by default", async () => {
    await bench.run("cpu-profile", "webhook", "--seconds", "3", "--out", join(folder, "a"));
    await bench.run("cpu-profile", "webhook", "--out", join(folder, "b"));
    assert.deepEqual(
      bench.control.calls.map(([, request]) => request),
      [3, 10].map((seconds) => ({ key: "webhook", kind: "cpuProfile", seconds })),
    );
  });

  it("never writes over a file that is there, and leaves none behind when it fails", async () => {
    const out = join(folder, "mine");
    writeFileSync(out, "precious");
    const refused = await bench.run("heap-snapshot", "webhook", "--out", out);
    assert.equal(refused.exitCode, 1);
    assert.match(refused.err, /it is there already/u);
    assert.equal(readFileSync(out, "utf8"), "precious");
    bench.control.inspection = () => {
      throw new GatewayError("timeout", "Cannot look into the thread: native code");
    };
    const failed = await bench.run("heap-snapshot", "webhook", "--out", join(folder, "other"));
    assert.equal(failed.exitCode, 1);
    assert.match(failed.err, /native code/u);
    assert.deepEqual(readdirSync(folder), ["mine"]);
  });

  it("fails for a key that is not configured, and for a profile of no or too many seconds", async () => {
    const out = join(folder, "x");
    for (const [parameters, text] of [
      [["heap-snapshot", "nobody"], /nobody/u],
      [["cpu-profile", "webhook", "--seconds", "0"], /expected 1 to 300/u],
      [["cpu-profile", "webhook", "--seconds", "301"], /expected a number from 0 to 300/u],
    ] as const) {
      const { exitCode, err } = await bench.run(...parameters, "--out", out);
      assert.equal(exitCode, 1);
      assert.match(err, text);
    }
    assert.deepEqual(readdirSync(folder), []);
  });
});
