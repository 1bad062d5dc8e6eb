/** Answers that a generation gives when its successor is already there. */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { GatewayError } from "../../src/contract/errors.ts";
import { adapterSpec } from "../support/adapter-spec.ts";
import type { FakeBehaviour } from "../support/fake-hosts.ts";
import { supervisionRig, type Rig } from "../support/supervision-rig.ts";

/** The first generation does one thing, all others another. */
async function started(t: TestContext, first: FakeBehaviour, others: FakeBehaviour): Promise<Rig> {
  const rig = await supervisionRig(t);
  rig.hosts.behave = ({ generation }) => (generation === 1 ? first : others);
  rig.fleet.apply(adapterSpec({ connection: "c1" }), 1);
  await rig.settle();
  rig.fleet.apply(adapterSpec({ connection: "c2" }), 2);
  // The first one's stop has its time.
  await rig.advance(6_000);
  assert.equal(rig.hosts.opened.length, 2);
  assert.equal(rig.hosts.opened[0]?.isLive, false);
  return rig;
}

describe("Supervisor, with a late answer of a dead generation", () => {
  const answers = [null, new GatewayError("unauthorized", "refused long ago")] as const;
  for (const answer of answers)
    it(`does not take ${answer === null ? "a start" : "a refusal"} for its successor's`, async (t) => {
      const rig = await started(t, { start: "late" }, { start: "hangs" });
      assert.deepEqual(rig.where("webhook"), ["starting", "config_changed"]);
      assert.equal(rig.hosts.opened[0]?.lateCalls, 1);
      rig.hosts.opened[0]?.answerLate(answer);
      await rig.settle();
      assert.deepEqual(rig.where("webhook"), ["starting", "config_changed"]);
      assert.equal(rig.hosts.last("webhook").terminateCount, 0);
    });

  it("does not take the end of a stop for its successor's, which goes on in peace", async (t) => {
    const rig = await started(t, { stop: "late" }, { stop: "hangs" });
    assert.equal(rig.hosts.opened[0]?.lateCalls, 1);
    rig.fleet.stop("webhook", 3);
    await rig.settle();
    rig.hosts.opened[0]?.answerLate();
    await rig.settle();
    assert.equal(rig.hosts.last("webhook").terminateCount, 0, "its time is not over");
    await rig.advance(6_000);
    assert.deepEqual(rig.fleet.statuses(), []);
  });
});
