import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { HostPids } from "../../src/host/host-pids.ts";
import { processStartTime } from "../../src/host/process-start-time.ts";

const newDir = (): string => mkdtempSync(join(tmpdir(), "bulkhead-pids-"));

describe("HostPids", () => {
  it("kills a host that an earlier coordinator left running", async () => {
    const dir = newDir();
    const orphan = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
    await once(orphan, "spawn");
    const exited = once(orphan, "exit");
    const pid = orphan.pid ?? 0;
    const earlier = new HostPids(dir);
    earlier.add({ pid, startTime: processStartTime(pid) });
    await earlier.flush();
    assert.deepEqual(await new HostPids(dir).killLeftovers(), [pid]);
    assert.deepEqual(await exited, [null, "SIGKILL"]);
  });

  it("takes along what that host's adapters had started", async () => {
    const dir = newDir();
    const script = `const { pid } = require("node:child_process").spawn("sleep", ["1000"], { stdio: ["ignore", "inherit", "ignore"] });
      console.log(pid); setInterval(() => {}, 1000);`;
    const orphan = spawn(process.execPath, ["-e", script], { detached: true, stdio: ["ignore", "pipe", "ignore"] });
    await once(orphan.stdout, "data");
    // Both hold its other end: it is over when both are.
    const over = once(orphan.stdout, "close");
    const pid = orphan.pid ?? 0;
    writeFileSync(join(dir, "hosts.json"), JSON.stringify([{ pid, startTime: processStartTime(pid) }]));
    assert.deepEqual(await new HostPids(dir).killLeftovers(), [pid]);
    await over;
  });

  it("spares a process that has the pid of a host but began at another time", async () => {
    const dir = newDir();
    writeFileSync(join(dir, "hosts.json"), JSON.stringify([{ pid: process.pid, startTime: "1" }]));
    assert.deepEqual(await new HostPids(dir).killLeftovers(), []);
  });

  it("forgets a host that ended by itself", async () => {
    const dir = newDir();
    const pids = new HostPids(dir);
    pids.add({ pid: 41, startTime: "1" });
    pids.add({ pid: 42, startTime: "2" });
    pids.delete(41);
    await pids.flush();
    assert.deepEqual(JSON.parse(readFileSync(join(dir, "hosts.json"), "utf8")), [{ pid: 42, startTime: "2" }]);
  });

  for (const [title, text] of [
    ["is torn", '[{"pid": 1'],
    ["is no list", "{}"],
    ["names no process", '[{"pid": -1, "startTime": "1"}, {"pid": 1, "startTime": "1"}, null, {"pid": 5}]'],
  ] as const) {
    it(`kills nobody by a list that ${title}`, async () => {
      const dir = newDir();
      writeFileSync(join(dir, "hosts.json"), text);
      assert.deepEqual(await new HostPids(dir).killLeftovers(), []);
    });
  }
});
