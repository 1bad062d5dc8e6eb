import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { schedule, type ScheduleOptions } from "./schedule.ts";

const options = (parts: Partial<ScheduleOptions>): ScheduleOptions => ({
  seed: 1,
  durationMs: 1_800_000,
  services: ["slack", "discord"],
  connections: ["slack", "discord"],
  platforms: ["slack", "discord", "webhook"],
  secretive: ["slack", "discord", "fault"],
  redelivering: ["slack", "webhook"],
  can: { moveClock: true },
  ...parts,
});

describe("schedule()", () => {
  it("is the same for the same seed, and another for another", () => {
    assert.deepEqual(schedule(options({ seed: 7 })), schedule(options({ seed: 7 })));
    assert.notDeepEqual(schedule(options({ seed: 7 })), schedule(options({ seed: 8 })));
  });

  it("has every kind of fault in a long run, in order, all lifted by its end", () => {
    for (let seed = 0; seed < 20; seed += 1) {
      const planned = schedule(options({ seed }));
      assert.deepEqual([...new Set(planned.map(({ kind }) => kind))].toSorted(), [
        "adapter",
        "clock",
        "cut",
        "freeze",
        "full-disk",
        "journal-thread",
        "kill",
        "nonsense",
        "outage",
        "reload-storm",
        "repeat",
        "restart",
        "rotate-secret",
        "save",
        "service",
        "slow-disk",
        "stop",
      ]);
      const times = planned.map(({ atMs }) => atMs);
      assert.deepEqual(
        times,
        times.toSorted((one, other) => one - other),
      );
      for (const fault of planned) assert.ok(fault.atMs + ("forMs" in fault ? fault.forMs : 0) <= 1_800_000);
    }
  });

  it("touches every platform's settings, every secret and every wall of the fault adapter in a long run", () => {
    for (let seed = 0; seed < 20; seed += 1) {
      const planned = schedule(options({ seed, durationMs: 5_400_000 }));
      const saved = planned.flatMap((fault) => (fault.kind === "save" ? [`${fault.platform} ${fault.what}`] : []));
      for (const each of ["slack settings", "discord settings", "webhook policy", "slack error", "fault removal"])
        assert.ok(saved.includes(each), `${each} with seed ${seed}`);
      const rotated = planned.flatMap((fault) => (fault.kind === "rotate-secret" ? [fault.platform] : []));
      assert.deepEqual([...new Set(rotated)].toSorted(), ["discord", "fault", "slack"]);
      const commanded = new Set(planned.flatMap((fault) => (fault.kind === "adapter" ? [fault.command.do] : [])));
      for (const each of ["stop-host", "fifo", "pool-fifo", "leak-heap"] as const)
        assert.ok(commanded.has(each), `${each} with seed ${seed}`);
    }
  });

  it("disturbs no look, and ends neither the coordinator nor the shared host in the last stretch", () => {
    for (let seed = 0; seed < 20; seed += 1) {
      for (const fault of schedule(options({ seed, durationMs: 120_000 }))) {
        const untilMs = fault.atMs + ("forMs" in fault ? fault.forMs : 0);
        for (const lookMs of [40_000, 80_000]) assert.ok(untilMs <= lookMs || fault.atMs >= lookMs + 10_000);
        if (fault.atMs > 80_000) {
          assert.ok(fault.kind !== "restart" && !(fault.kind === "slow-disk" && fault.endsInKill));
          assert.ok(fault.kind !== "kill" || fault.victim === "handlers");
        }
      }
    }
  });

  it("has more than a fault every five seconds", () => {
    for (let seed = 0; seed < 20; seed += 1) {
      const planned = schedule(options({ seed, durationMs: 120_000 }));
      assert.ok(planned.length > 24, `${planned.length} faults with seed ${seed}`);
    }
  });

  it("kills the same host's kind at most every 75 seconds", () => {
    for (let seed = 0; seed < 20; seed += 1) {
      const kills = schedule(options({ seed })).filter((fault) => fault.kind === "kill" && fault.victim === "adapters");
      for (const [index, { atMs }] of kills.entries())
        assert.ok(index === 0 || atMs - (kills[index - 1]?.atMs ?? 0) >= 75_000);
    }
  });

  it("leaves out what the machine cannot do", () => {
    const planned = schedule(options({ can: { moveClock: false } }));
    assert.ok(planned.every(({ kind }) => kind !== "clock"));
    assert.ok(planned.some(({ kind }) => kind === "journal-thread"));
  });
});
