import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import type { Condition, GatewayStatus } from "../../src/contract/status.ts";
import { watchForLeaks } from "../../src/gateway/leak-watch.ts";

const leak: Condition = { code: "thread_leaked", key: "fault", message: "stuck", since: "2030-01-01T00:00:00.000Z" };
const consumer: GatewayStatus["consumers"][number] = {
  name: "main",
  kind: "module",
  inFlight: 0,
  pending: 0,
  dead: 0,
  host: null,
};

function watched(t: TestContext) {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const seen = { conditions: [leak], adapters: [], consumers: [{ ...consumer }] };
  const handedOver: (readonly string[])[] = [];
  const errors: unknown[] = [];
  const watch = watchForLeaks({
    status: () => seen,
    onHandOver: (keys) => handedOver.push(keys),
    onError: (reason) => errors.push(reason),
  });
  return { seen, handedOver, errors, watch, pass: (ms: number) => t.mock.timers.tick(ms) };
}

describe("watchForLeaks()", () => {
  it("hands over once, after three quiet seconds", (t) => {
    const { handedOver, pass } = watched(t);
    pass(2_999);
    assert.deepEqual(handedOver, []);
    pass(1);
    pass(60_000);
    assert.deepEqual(handedOver, [["fault"]]);
  });

  it("waits for as long as anything is handled or waits, and counts anew after each", (t) => {
    const { seen, handedOver, pass } = watched(t);
    for (const busy of [{ inFlight: 1 }, { pending: 1 }]) {
      pass(2_500);
      seen.consumers = [{ ...consumer, ...busy }];
      pass(60_000);
      seen.consumers = [{ ...consumer }];
    }
    pass(2_999);
    assert.deepEqual(handedOver, []);
    pass(1);
    assert.deepEqual(handedOver, [["fault"]]);
  });

  it("does nothing while no thread is leaked, nor once it is disposed", (t) => {
    const { seen, handedOver, watch, pass } = watched(t);
    seen.conditions = [];
    pass(60_000);
    seen.conditions = [leak];
    watch[Symbol.dispose]();
    pass(60_000);
    assert.deepEqual(handedOver, []);
  });
});
