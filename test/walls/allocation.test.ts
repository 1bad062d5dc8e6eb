/** An adapter that fills its memory, in every way and at any speed: it alone pays, at worst with its host. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { allocationShapes, type AllocationShape } from "../support/allocation-shapes.ts";
import { statusWhere } from "../support/gateway-events.ts";
import { faultAdapterPath, freePort, GatewayHome, WebhookClient } from "../support/gateway-fixture.ts";
import { wanted } from "../support/wall-tests.ts";

const shapes = Object.keys(allocationShapes) as AllocationShape[];
/** What V8 meets worst, what it does not see at all, and one that it meets well. */
const sample: readonly AllocationShape[] = ["a Map", "an array of numbers", "Buffers"];
/** Far beyond what any of them takes on a busy machine. */
const patience = (): AbortSignal => AbortSignal.timeout(120_000);

/**
 * How long the neighbours may be away, if their host goes too: 5 s in which it is silent, and what two processes and
 * their threads take to start where others have both cores. The benchmarks show how little it is where nobody has.
 */
const awayAtMostMs = 20_000;

type Outcome = {
  readonly reasons: readonly string[];
  readonly isHostTheSame: boolean;
  readonly isNeighbourTheSame: boolean;
};

/** Round trips through the neighbour until it is over, and one more; fails where it is away for too long. */
async function tripsUntil(isOver: () => boolean, client: WebhookClient): Promise<void> {
  let [lastMs, isLast] = [performance.now(), false];
  for (let trip = 0; !isLast; trip += 1) {
    const wasOver = isOver();
    // In a conversation of its own: one that was cut off leaves its answer behind.
    const answer = await client.roundTrip(`room ${trip}`, `trip ${trip}`).catch(() => null);
    const awayMs = performance.now() - lastMs;
    assert.ok(awayMs <= awayAtMostMs, `the webhook is away for ${awayMs} ms`);
    if (answer === null) continue;
    assert.deepEqual(answer, [`trip ${trip}`]);
    lastMs = performance.now();
    isLast = wasOver;
  }
}

async function fill(shape: AllocationShape, pace: "fast" | "slow"): Promise<Outcome> {
  const home = new GatewayHome();
  const port = await freePort();
  home.writeConfig(
    `[[consumers]]\nname = "main"\nbuiltin = "echo"\n[supervisor]\nbackoff_min_ms = 50\n[messaging.webhook]\nport = ${port}\n` +
      `[messaging.fault]\nmodule = "${faultAdapterPath}"\n[messaging.fault.supervisor]\nmemory_limit_mb = 64\n` +
      `[messaging.calm]\nmodule = "${faultAdapterPath}"\n`,
  );
  await using gateway = await home.start();
  const client = new WebhookClient(port);
  const [before, neighbour] = [await gateway.reached("fault", "running"), await gateway.reached("calm", "running")];
  await gateway.reached("webhook", "running");
  await gateway.provoke("fault", { do: "allocate", shape, pace });
  let isOver = false;
  const back = statusWhere(
    gateway,
    ({ adapters }) =>
      adapters.every(({ state }) => state === "running") &&
      adapters.some(({ key, generation }) => key === "fault" && generation !== before.generation),
    patience(),
  ).finally(() => (isOver = true));
  const [status] = await Promise.all([back, tripsUntil(() => isOver, client)]);
  const find = (key: string) => status.adapters.find((adapter) => adapter.key === key);
  for (const key of ["webhook", "calm"]) {
    assert.equal(find(key)?.attempt, 0, `${key} is innocent`);
    assert.ok(Object.keys(find(key)?.restartsByReason ?? {}).every((reason) => reason === "host_died"));
  }
  return {
    reasons: Object.keys(find("fault")?.restartsByReason ?? {}),
    isHostTheSame: find("calm")?.host?.pid === neighbour.host?.pid,
    isNeighbourTheSame: find("calm")?.generation === neighbour.generation,
  };
}

describe("an adapter that fills its memory as fast as it can", () => {
  for (const shape of wanted(shapes, sample))
    it(`with ${shape} is back, and so are the others if its host went with it`, async () => {
      // V8 may tell the end of the thread and abort the process all the same, so the reason says nothing about the host.
      const { reasons } = await fill(shape, "fast");
      assert.equal(reasons.length, 1, reasons.join(" "));
      // One that only collects any more neither ends nor moves: it is hung.
      const allowed = ["memory_limit", "heap_exhausted", "host_died", "hung"];
      assert.ok(allowed.includes(reasons.join(" ")), reasons.join(" "));
    });
});

describe("an adapter that leaks", () => {
  for (const shape of wanted(shapes, sample))
    it(`${shape} is replaced at its memory limit, and nobody else is touched`, async () => {
      const outcome = await fill(shape, "slow");
      assert.deepEqual(outcome, { reasons: ["memory_limit"], isHostTheSame: true, isNeighbourTheSame: true });
    });
});
