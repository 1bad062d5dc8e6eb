import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import type { HostPool } from "../../src/host/hosts.ts";
import type { Logger } from "../../src/support/logger.ts";
import type { FaultCommand } from "../support/fault-adapter.ts";
import { hostFixture } from "../support/host-fixture.ts";
import { silentLogger } from "../support/silent-logger.ts";

/** Resolves when the pool no longer lists the host. */
async function hostEnd(pool: HostPool, pid: number): Promise<void> {
  while (pool.status().some((host) => host.pid === pid)) await new Promise((resolve) => setImmediate(resolve));
}

function childrenOf(pid: number): readonly string[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ");
}

describe("HostPool", () => {
  const endings: readonly (readonly [title: string, command: FaultCommand["do"], cause: string])[] = [
    ["throws", "throw", "crashed"],
    ["rejects unhandled", "reject", "crashed"],
    ["calls process.exit", "exit", "exited"],
  ];
  for (const [title, command, cause] of endings) {
    it(`ends only the thread of an adapter that ${title}, and says how`, async () => {
      await using stack = new AsyncDisposableStack();
      const { pool, open } = hostFixture();
      stack.use(pool);
      const [culprit, neighbour] = [await open(), await open()];
      await Promise.all([culprit.start(), neighbour.start()]);
      culprit.provoke({ do: command } as FaultCommand);
      assert.equal((await culprit.exited).cause, cause);
      await culprit.drained;
      assert.deepEqual(await neighbour.say("still here"), { platformMessageId: "sent-10" });
      assert.equal(culprit.handle.hostPid, neighbour.handle.hostPid);
    });
  }

  it("terminates a thread that spins", async () => {
    await using stack = new AsyncDisposableStack();
    const { pool, open } = hostFixture();
    stack.use(pool);
    const spinning = await open();
    await spinning.start();
    spinning.provoke({ do: "spin" });
    await spinning.sample(({ utilization, heartbeatAgeMs }) => utilization > 0.9 && heartbeatAgeMs > 300);
    spinning.handle.terminate();
    assert.equal((await spinning.exited).cause, "terminated");
  });

  it("answers a call with a timeout when the adapter never does", async () => {
    await using stack = new AsyncDisposableStack();
    const { pool, open } = hostFixture();
    stack.use(pool);
    const hanging = await open({ atStart: "hang" });
    const { signal } = new AbortController();
    await assert.rejects(hanging.handle.call("start", {}, { deadlineMs: 50, signal }), { code: "timeout" });
  });

  it("keeps an error's code, retry and user action on the way from the thread", async () => {
    await using stack = new AsyncDisposableStack();
    const { pool, open } = hostFixture();
    stack.use(pool);
    const refused = await open({ atStart: "unauthorized" });
    await assert.rejects(refused.start(), {
      code: "unauthorized",
      retry: { kind: "never" },
      userAction: "Put a fresh token into the config",
    });
  });

  it("rejects what is in flight when the thread dies under it", async () => {
    await using stack = new AsyncDisposableStack();
    const { pool, open } = hostFixture();
    stack.use(pool);
    const hanging = await open({ atStart: "hang" });
    const started = hanging.start();
    await hanging.frame(({ event }) => event === "loaded");
    hanging.handle.terminate();
    await assert.rejects(started, { code: "worker_crashed" });
  });

  it("delivers everything a thread posted before it died, and only then says it is drained", async () => {
    await using stack = new AsyncDisposableStack();
    const { pool, open } = hostFixture();
    stack.use(pool);
    const dying = await open();
    await dying.start();
    // Unaccepted, so the command never returns: the frame is what is waited for.
    dying.provoke({ do: "emit", count: 200, conversation: "last-words" });
    await dying.frame(({ headers }) => headers !== undefined);
    dying.handle.terminate();
    await dying.drained;
    const messages = dying.metas.flatMap((meta) => (meta as { headers?: unknown[] }).headers ?? []);
    assert.equal(messages.length, 200);
  });

  it("tells every generation of a host that died, and replaces it", async () => {
    await using stack = new AsyncDisposableStack();
    const { pool, open } = hostFixture();
    stack.use(pool);
    const [culprit, neighbour] = [await open(), await open()];
    await Promise.all([culprit.start(), neighbour.start()]);
    culprit.provoke({ do: "kill-host" });
    assert.deepEqual(
      (await Promise.all([culprit.hostGone, neighbour.hostGone])).map(({ cause }) => cause),
      ["died", "died"],
    );
    const successor = await open();
    await successor.start();
    assert.notEqual(successor.handle.hostPid, culprit.handle.hostPid);
  });

  it("kills a host that is stopped by a signal, since it is silent", async () => {
    await using stack = new AsyncDisposableStack();
    const { pool, open } = hostFixture();
    stack.use(pool);
    const stopping = await open();
    await stopping.start();
    stopping.provoke({ do: "stop-host" });
    assert.equal((await stopping.hostGone).cause, "silent");
  });

  it("sees for itself that a host has too much memory, also when that stands still and says nothing", async () => {
    await using stack = new AsyncDisposableStack();
    const hostEntryUrl = new URL("../support/stuck-host.ts", import.meta.url).href;
    const { pool, open } = hostFixture({ hostEntryUrl, memoryLimitMb: 100 });
    stack.use(pool);
    const stuck = await open();
    const first = await Promise.race([stuck.evacuate.then(() => "evacuated"), stuck.hostGone.then(() => "gone")]);
    assert.equal(first, "evacuated", "before it is silent for too long");
    assert.ok(pool.rssBytes(stuck.handle.hostPid) > 200 * 1_048_576);
  });

  it("says what was wrong with a host's link, and not the kill that follows alone", async () => {
    await using stack = new AsyncDisposableStack();
    const hostEntryUrl = new URL("../support/garbling-host.ts", import.meta.url).href;
    const { pool, open } = hostFixture({ hostEntryUrl });
    stack.use(pool);
    const { cause, detail } = await (await open()).hostGone;
    assert.equal(cause, "died");
    assert.match(detail, /; its link broke: Cannot read a frame of 4294967299 bytes/u);
  });

  for (const command of ["native", "fifo"] as const) {
    it(`moves the others away and kills the host of a thread stuck in ${command}`, async () => {
      await using stack = new AsyncDisposableStack();
      const { pool, open } = hostFixture();
      stack.use(pool);
      const [culprit, neighbour] = [await open(), await open()];
      await Promise.all([culprit.start(), neighbour.start()]);
      culprit.provoke({ do: command });
      // No answer to a question about memory: the thread is in native code.
      await culprit.sample(({ memory }) => memory === null);
      culprit.handle.terminate();
      culprit.handle.condemnHost("its thread did not end");
      await neighbour.evacuate;
      const elsewhere = await open();
      assert.notEqual(elsewhere.handle.hostPid, culprit.handle.hostPid);
      neighbour.handle.terminate();
      await neighbour.exited;
      assert.equal((await culprit.hostGone).cause, "killed");
    });
  }

  it("has counted a host's death when its generations are told, so that none comes back too early", async () => {
    await using stack = new AsyncDisposableStack();
    const { pool, open } = hostFixture();
    stack.use(pool);
    const resident = await open();
    await resident.start();
    const listed = Promise.withResolvers<number>();
    Object.assign(resident.listener, { onHostGone: () => listed.resolve(pool.status().length) });
    process.kill(resident.handle.hostPid, "SIGKILL");
    assert.equal(await listed.promise, 0);
    await open();
    assert.equal(pool.status()[0]?.restarts, 1);
  });

  it("says how long a second death makes those wait who come back", async () => {
    await using stack = new AsyncDisposableStack();
    const { pool, open } = hostFixture();
    stack.use(pool);
    for (const death of ["the first", "the second"]) {
      const resident = await open();
      assert.deepEqual(resident.hostDelaysMs, [], `before ${death} death`);
      process.kill(resident.handle.hostPid, "SIGKILL");
      await resident.hostGone;
    }
    const { hostDelaysMs } = await open();
    assert.equal(hostDelaysMs.length, 1);
    assert.ok((hostDelaysMs[0] ?? 0) > 0 && (hostDelaysMs[0] ?? 0) <= 1000, `${hostDelaysMs[0]} ms`);
  });

  for (const [when, isLate] of [
    ["while it starts", false],
    ["the moment it is up", true],
  ] as const)
    it(`keeps no host whose adapter is paused ${when}`, async () => {
      await using stack = new AsyncDisposableStack();
      const started = Promise.withResolvers<number>();
      const wanted = new AbortController();
      const pause = (): void => wanted.abort(new Error("paused"));
      const logger: Logger = {
        ...silentLogger,
        info: (event, fields) => {
          if (event !== "host-started") return;
          if (isLate) pause();
          started.resolve(Number(fields?.["hostPid"]));
        },
      };
      const { pool, open } = hostFixture({ logger });
      stack.use(pool);
      const children = new Set(childrenOf(process.pid));
      const opening = open({}, "own", null, wanted.signal);
      while (childrenOf(process.pid).every((pid) => children.has(pid)))
        await new Promise((resolve) => setImmediate(resolve));
      if (!isLate) pause();
      await assert.rejects(opening, /paused/u);
      await hostEnd(pool, await started.promise);
    });

  it("gives an adapter a host of its own that ends with it", async () => {
    await using stack = new AsyncDisposableStack();
    const { pool, open } = hostFixture();
    stack.use(pool);
    const shared = await open();
    const own = await open({}, "own");
    await own.start();
    assert.notEqual(own.handle.hostPid, shared.handle.hostPid);
    assert.equal(own.handle.hostKind, "own");
    own.handle.terminate();
    await own.exited;
    await hostEnd(pool, own.handle.hostPid);
    assert.deepEqual(
      pool.status().flatMap(({ keys }) => keys),
      ["fault:1"],
    );
  });

  for (const [what, threads] of [
    ["adapters", 1],
    ["adapters with a spare thread", 2],
  ] as const)
    it(`puts no more ${what} into a host than it may have`, async () => {
      await using stack = new AsyncDisposableStack();
      const { pool, open } = hostFixture({ maxAdapters: 2 });
      stack.use(pool);
      const keys = ["a", "b", "c", "d", "e"];
      for (const key of keys) for (let thread = 0; thread < threads; thread += 1) await open({}, "shared", key);
      assert.deepEqual(
        pool.status().map(({ keys: residents }) => [...new Set(residents)]),
        [["a", "b"], ["c", "d"], ["e"]],
      );
    });

  it("runs the same protocol inline, in the coordinator's own process", async () => {
    await using stack = new AsyncDisposableStack();
    const { pool, open } = hostFixture({ mode: "inline" });
    stack.use(pool);
    const inline = await open();
    await inline.start();
    assert.equal(inline.handle.hostPid, process.pid);
    assert.equal(inline.handle.hostKind, "inline");
    inline.provoke({ do: "throw" });
    assert.equal((await inline.exited).cause, "crashed");
  });

  it("ends a start that is no longer wanted", async () => {
    await using stack = new AsyncDisposableStack();
    const { pool } = hostFixture();
    stack.use(pool);
    const signal = AbortSignal.abort(new Error("not wanted"));
    const init = { key: "k", platform: "fault", generation: 1, settings: {}, policy: {} as never };
    const request = {
      key: "k",
      generation: 1,
      entry: "adapter",
      moduleUrl: "file:///nowhere",
      heapLimitMb: 64,
      init,
      placement: "shared",
      signal,
    } as const;
    await assert.rejects(pool.open(request, {} as never), { message: "not wanted" });
  });
});
