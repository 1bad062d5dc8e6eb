import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { loadRemembered, nothingRemembered } from "../../src/supervise/supervision-store.ts";
import { MemoryStore } from "../support/supervision-rig.ts";

describe("loadRemembered()", () => {
  it("reads what was kept, key by key", async () => {
    const store = new MemoryStore();
    const backoff = {
      streak: { attempt: 2, failuresAtMs: [1, 2], isSlow: true, wasHealthy: false },
      fingerprint: "c1 p1",
      reason: "crashed",
      needsAttention: false,
      nextRetryAtMs: 99,
      delayMs: 9,
    };
    store.put("backoff", "slack", JSON.stringify(backoff));
    store.put("placement", "discord", JSON.stringify({ reason: "2 hosts died", sinceMs: 5 }));
    store.put("pause", "webhook", JSON.stringify({ owner: "config", sinceMs: 7 }));
    const remembered = await loadRemembered(store);
    assert.deepEqual(remembered.get("slack"), { backoff, placement: null, pause: null });
    const quarantine = { reason: "2 hosts died", sinceMs: 5 };
    assert.deepEqual(remembered.get("discord"), { backoff: null, placement: quarantine, pause: null });
    const pause = { owner: "config", sinceMs: 7 };
    assert.deepEqual(remembered.get("webhook"), { backoff: null, placement: null, pause });
  });

  for (const torn of ["", "null", "[]", '{"streak":1}', '{"streak":{"attempt":"x"}}', "{"]) {
    it(`takes ${JSON.stringify(torn)} as nothing`, async () => {
      const store = new MemoryStore();
      store.put("backoff", "slack", torn);
      store.put("placement", "slack", torn);
      store.put("pause", "slack", torn);
      assert.deepEqual((await loadRemembered(store)).get("slack"), nothingRemembered);
    });
  }
});
