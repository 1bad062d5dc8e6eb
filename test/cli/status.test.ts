import { describe, it } from "node:test";
import assert from "node:assert/strict";
import { formatStatus } from "../../src/cli/status.ts";
import { CliBench } from "../support/cli-bench.ts";
import { adapterStatus, gatewayStatus } from "../support/fake-control.ts";

const nowMs = Date.parse("2026-01-01T00:12:30.000Z");
const since = "2026-01-01T00:00:00.000Z";

describe("formatStatus()", () => {
  it("shows every adapter on one line, and what is wrong below", () => {
    const text = formatStatus(
      gatewayStatus({
        conditions: [{ code: "config_invalid", key: null, message: "line 3", since }],
        adapters: [
          adapterStatus({ key: "webhook" }),
          adapterStatus({
            key: "discord:ops",
            state: "needs_attention",
            reason: "bad_credentials",
            message: "the token was refused",
            userAction: "Make a new token",
            restarts: 3,
          }),
        ],
      }),
      nowMs,
    );
    assert.equal(
      text,
      `bulkhead 0.1.0  pid 4141  up 2h  config 3  cpu 4.2%  90.0 MiB

KEY          STATE            REASON           SINCE  RESTARTS  CPU    MEMORY    IN/OUT  PENDING
webhook      running                           12m    0         12.3%  15.0 MiB  7/3     5
discord:ops  needs_attention  bad_credentials  12m    3         12.3%  15.0 MiB  7/3     5

CONSUMER  KIND  IN FLIGHT  PENDING  DEAD
main      echo  1          2        0

journal 0.0 MiB of 2.0 GiB, 5 pending, 0 dead, durability full

config_invalid: line 3
discord:ops: the token was refused; Make a new token`,
    );
  });

  it("lets no message steer the terminal", () => {
    const adapter = adapterStatus({ key: "webhook", message: "x\u001b]0;owned\u0007\nKEY fake" });
    const text = formatStatus(gatewayStatus({ adapters: [adapter] }), nowMs);
    assert.match(text, /webhook: x \]0;owned KEY fake$/);
  });
});

describe("status()", () => {
  it("prints the API's answer with --json", async () => {
    await using bench = await CliBench.start();
    const { exitCode, out } = await bench.run("status", "--json");
    assert.deepEqual([exitCode, JSON.parse(out)], [0, JSON.parse(JSON.stringify(gatewayStatus()))]);
    assert.match((await bench.run("status")).out, /^bulkhead 0\.1\.0 {2}pid 4141/);
  });
});
