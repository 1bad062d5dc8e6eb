import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Fault } from "./fault.ts";
import { excusesOf } from "./send-excuses.ts";

const dropped = (place: "connect" | "receive" | "send", platform = "slack"): Fault => ({
  kind: "service",
  platform,
  place,
  fault: { kind: "drop", times: 3 },
  forMs: 1_000,
});

describe("excusesOf()", () => {
  const rows: readonly (readonly [string, Fault, number])[] = [
    ["a connection dropped three times", dropped("receive"), 4],
    ["a first contact dropped", dropped("connect"), 1],
    ["sends dropped, which the service counts itself", dropped("send"), 0],
    ["another platform's outage", { kind: "outage", platform: "discord", forMs: 1 }, 0],
    ["its own outage", { kind: "outage", platform: "slack", forMs: 1 }, 1],
    ["a half-open connection", { kind: "freeze", platform: "slack" }, 2],
    ["the coordinator's death", { kind: "kill", victim: "coordinator" }, 1],
    ["the handlers' death", { kind: "kill", victim: "handlers" }, 0],
    ["a host that stands still for a moment", { kind: "stop", victim: "adapters", forMs: 4_000 }, 0],
    ["a host that is silent for too long", { kind: "stop", victim: "adapters", forMs: 7_000 }, 1],
    ["slow commits", { kind: "slow-disk", forMs: 1, endsInKill: false }, 0],
    ["settings that replace it and are taken back", { kind: "save", what: "settings", platform: "slack", forMs: 1 }, 2],
    ["a policy", { kind: "save", what: "policy", platform: "slack", forMs: 1 }, 0],
    ["a storm of saves", { kind: "reload-storm", platform: "slack", saves: 6 }, 7],
    ["another platform's secret", { kind: "rotate-secret", platform: "discord", forMs: 1 }, 0],
    ["a neighbour that ends alone", { kind: "adapter", command: { do: "throw" } }, 0],
    ["a neighbour that takes the host with it", { kind: "adapter", command: { do: "kill-host" } }, 1],
  ];
  for (const [title, fault, cuts] of rows)
    it(`counts ${cuts} cuts for ${title}`, () => {
      assert.equal(excusesOf([fault], "slack", 0).cuts, cuts);
    });

  it("adds up what happened, and knows whose credentials were refused", () => {
    const refused: Fault = {
      kind: "service",
      platform: "slack",
      place: "connect",
      fault: { kind: "bad_credentials" },
      forMs: 1,
    };
    const faults: readonly Fault[] = [refused, { kind: "restart" }];
    const rotated: Fault = { kind: "rotate-secret", platform: "discord", forMs: 1 };
    assert.equal(excusesOf([rotated], "discord", 0).isRefused, true);
    assert.deepEqual(excusesOf(faults, "slack", 5), { cuts: 2, sendFaultsMet: 5, isRefused: true });
    assert.deepEqual(excusesOf(faults, "discord", 0), { cuts: 1, sendFaultsMet: 0, isRefused: false });
  });
});
