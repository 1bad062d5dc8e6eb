import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { HostPool } from "../../src/host/hosts.ts";
import { hostFixture } from "../support/host-fixture.ts";

/** Resolves when it is so, and not for ever: a loop would outlive its test. */
async function until(isSo: () => boolean): Promise<void> {
  const patience = AbortSignal.timeout(20_000);
  while (!isSo()) {
    patience.throwIfAborted();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Resolves when the pool no longer lists the host. */
async function hostEnd(pool: HostPool, pid: number): Promise<void> {
  await until(() => pool.status().every((host) => host.pid !== pid));
}

function isRunning(pid: number): boolean {
  try {
    return !/\) Z /u.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

/** Resolves when the process is gone; the kernel takes its time even for SIGKILL. */
async function processEnd(pid: number): Promise<void> {
  await until(() => !isRunning(pid));
}

/** A child process that an adapter has spawned: its pid, and what it has noted since. */
type Child = { readonly pid: number; notes(): string };

describe("a host's process group", { timeout: 60_000 }, () => {
  async function adapterWithChild(fixture: ReturnType<typeof hostFixture>, heedsSigterm: boolean) {
    const adapter = await fixture.open({}, "own");
    await adapter.start();
    const path = join(fixture.stateDir, `child-${adapter.handle.generation}`);
    await adapter.say(JSON.stringify({ do: "spawn", path, heedsSigterm }));
    const pid = Number(readFileSync(path, "utf8"));
    assert.ok(isRunning(pid));
    const child: Child = { pid, notes: () => readFileSync(path, "utf8").slice(String(pid).length) };
    return { adapter, child };
  }

  for (const heedsSigterm of [true, false])
    it(`is asked first when its host is not needed any more, ${heedsSigterm ? "and ends by itself" : "and ended though it heeds nothing"}`, async () => {
      await using stack = new AsyncDisposableStack();
      const fixture = hostFixture();
      stack.use(fixture.pool);
      const { adapter, child } = await adapterWithChild(fixture, heedsSigterm);
      adapter.handle.terminate();
      await hostEnd(fixture.pool, adapter.handle.hostPid);
      await processEnd(child.pid);
      assert.equal(child.notes(), " SIGTERM");
    });

  it("is asked first when the gateway stops, and nothing of it is left then", async () => {
    const fixture = hostFixture();
    const ends = [await adapterWithChild(fixture, true), await adapterWithChild(fixture, false)];
    await fixture.pool[Symbol.asyncDispose]();
    for (const { child } of ends) {
      await processEnd(child.pid);
      assert.equal(child.notes(), " SIGTERM");
    }
    assert.deepEqual(fixture.pool.status(), []);
  });

  it("is gone before its adapter is opened again", async () => {
    await using stack = new AsyncDisposableStack();
    const fixture = hostFixture();
    stack.use(fixture.pool);
    const { adapter, child } = await adapterWithChild(fixture, false);
    const [host] = fixture.pool.status();
    adapter.handle.terminate();
    await Promise.all([adapter.exited, adapter.drained]);
    const successor = await fixture.open({}, "own", host?.keys[0] ?? null);
    assert.deepEqual(
      fixture.pool.status().map(({ pid }) => pid),
      [successor.handle.hostPid],
    );
    await processEnd(child.pid);
  });

  it("ends at once with a thread that cannot be ended", async () => {
    await using stack = new AsyncDisposableStack();
    const fixture = hostFixture();
    stack.use(fixture.pool);
    const { adapter, child } = await adapterWithChild(fixture, false);
    adapter.provoke({ do: "native" });
    await adapter.sample(({ memory }) => memory === null);
    adapter.handle.terminate();
    adapter.handle.condemnHost("its thread did not end");
    assert.equal((await adapter.hostGone).cause, "killed");
    await processEnd(child.pid);
    assert.equal(child.notes(), "");
  });

  it("ends at once when the time for the gateway's end is nearly over", async () => {
    await using stack = new AsyncDisposableStack();
    const fixture = hostFixture();
    stack.use(fixture.pool);
    const { adapter, child } = await adapterWithChild(fixture, false);
    fixture.pool.killAfter(1);
    assert.match((await adapter.hostGone).detail, /SIGKILL/u);
    await processEnd(child.pid);
    assert.equal(child.notes(), "");
  });
});
