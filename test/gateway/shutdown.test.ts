import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { shutDown, type ShutdownParts } from "../../src/gateway/shutdown.ts";

function shutdownFixture(overrides: Partial<ShutdownParts> = {}) {
  const steps: string[] = [];
  const killDelaysMs: number[] = [];
  const parts: ShutdownParts = {
    reconciler: { [Symbol.asyncDispose]: async () => void steps.push("reconciler") },
    flow: {
      stopIntake: () => void steps.push("intake"),
      drain: async () => {
        steps.push("handlers");
        return 0;
      },
    },
    outbox: { drain: async () => void steps.push("outbox") },
    adapters: {
      shutdown: async () => {
        steps.push("adapters");
        return [];
      },
    },
    hosts: { killAfter: (delayMs) => void killDelaysMs.push(delayMs) },
    owned: { [Symbol.asyncDispose]: async () => void steps.push("owned") },
    ...overrides,
  };
  return { parts, steps, killDelaysMs };
}

describe("shutDown()", () => {
  it("stops intake first, then lets handlers, outbox and adapters finish, then ends the rest", async () => {
    const { parts, steps } = shutdownFixture();
    await shutDown(parts, 15_000);
    assert.deepEqual(steps, ["intake", "reconciler", "handlers", "outbox", "adapters", "owned"]);
  });

  it("gives each step only what is left of the whole", async () => {
    const deadlines: number[] = [];
    const { parts } = shutdownFixture({
      flow: { stopIntake: () => {}, drain: async (deadlineMs) => deadlines.push(deadlineMs) },
      outbox: { drain: async (deadlineMs) => void deadlines.push(deadlineMs) },
      adapters: {
        shutdown: async (deadlineMs) => {
          deadlines.push(deadlineMs);
          return [];
        },
      },
    });
    await shutDown(parts, 15_000);
    const [handlers = 0, outbox = 0, adapters = 0] = deadlines;
    assert.ok(handlers <= 8000 && outbox <= 11_000 && adapters <= 13_000 && handlers < outbox && outbox < adapters);
  });

  it("has the hosts that are left killed a second before its own end, whatever is late", async () => {
    const { parts, killDelaysMs } = shutdownFixture({
      flow: { stopIntake: () => {}, drain: () => new Promise<number>(() => {}) },
    });
    void shutDown(parts, 15_000);
    assert.deepEqual(killDelaysMs, [14_000]);
  });

  it("goes on when the reconcile under way does not end", async (context) => {
    context.mock.timers.enable({ apis: ["setTimeout"] });
    const { parts, steps } = shutdownFixture({
      reconciler: { [Symbol.asyncDispose]: () => new Promise<void>(() => {}) },
    });
    const ended = shutDown(parts, 15_000);
    context.mock.timers.tick(8000);
    await ended;
    assert.deepEqual(steps, ["intake", "handlers", "outbox", "adapters", "owned"]);
  });
});
