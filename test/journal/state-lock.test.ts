import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it, type TestContext } from "node:test";
import { acquireStateLock } from "../../src/journal/state-lock.ts";

let directory = "";
const lockUrl = new URL("../../src/journal/state-lock.ts", import.meta.url).href;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "bulkhead-lock-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** A process that holds `stateDir` until it is killed. */
async function holder(t: TestContext, stateDir: string): Promise<ChildProcess> {
  const script = `
    const { acquireStateLock } = await import(${JSON.stringify(lockUrl)});
    await acquireStateLock(${JSON.stringify(stateDir)});
    console.log("held");
    setInterval(() => {}, 1_000);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => child.kill("SIGKILL"));
  await once(child.stdout, "data");
  return child;
}

describe("acquireStateLock()", () => {
  it("makes the directory, and says who holds it", async () => {
    const stateDir = join(directory, "a", "data");
    await using _lock = await acquireStateLock(stateDir);
    assert.equal(statSync(stateDir).mode & 0o777, 0o700);
    assert.equal(statSync(join(stateDir, "state.lock")).mode & 0o777, 0o600);
    const held = JSON.parse(readFileSync(join(stateDir, "state.lock.holder"), "utf8")) as Record<string, unknown>;
    assert.equal(held["pid"], process.pid);
    assert.match(String(held["startedAt"]), /^\d{4}-\d\d-\d\dT.*Z$/);
  });

  it("refuses a directory that another process holds, naming it, until that process is killed", async (t) => {
    const child = await holder(t, directory);
    const exited = once(child, "exit");
    await assert.rejects(acquireStateLock(directory), {
      code: "conflict",
      message: `Cannot use the state directory ${directory}: held by the running gateway with pid ${child.pid}`,
    });
    child.kill("SIGKILL");
    await exited;
    await using _lock = await acquireStateLock(directory);
  });

  it("refuses a second holder in the same process, and stays held through the refusal", async () => {
    const first = await acquireStateLock(directory);
    await assert.rejects(acquireStateLock(directory), { code: "conflict" });
    const script = `
      const { acquireStateLock } = await import(${JSON.stringify(lockUrl)});
      await acquireStateLock(${JSON.stringify(directory)}).then(() => console.log("taken"), (e) => console.log(e.code));`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [said] = (await once(child.stdout, "data")) as [Buffer];
    assert.equal(said.toString().trim(), "conflict");
    await first[Symbol.asyncDispose]();
    await first[Symbol.asyncDispose]();
    await using _second = await acquireStateLock(directory);
  });

  it("refuses a path that cannot be a directory", async () => {
    const path = join(directory, "file");
    writeFileSync(path, "");
    await assert.rejects(acquireStateLock(path), {
      code: "journal_unavailable",
      message: /Cannot use the state directory/,
    });
  });
});
