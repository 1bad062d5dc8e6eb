import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { errorCodes, GatewayError, type ErrorCode, type Retry } from "../../src/contract/errors.ts";
import { afterSendFailure } from "../../src/outbound/send-failure.ts";

const day = 86_400_000;

describe("afterSendFailure()", () => {
  const rows: readonly (readonly [
    title: string,
    code: ErrorCode,
    retry: Retry | undefined,
    attempts: number,
    ageMs: number,
    kind: string,
  ])[] = [
    ["waits for an adapter that does not run", "adapter_unavailable", undefined, 99, 9 * day, "wait"],
    ["does not repeat what a dead thread may have sent", "worker_crashed", undefined, 1, 0, "unknown"],
    ["does not repeat what may have arrived late", "timeout", undefined, 1, 0, "unknown"],
    ["tries a passing failure again", "internal", undefined, 1, 0, "retry"],
    ["gives up on it after eight attempts", "internal", undefined, 8, 0, "failed"],
    ["waits an outage out", "platform_unavailable", undefined, 200, day - 1, "retry"],
    ["but not for more than a day", "platform_unavailable", undefined, 200, day, "failed"],
    ["fails at once what can never work", "message_rejected", undefined, 1, 0, "failed"],
    ["believes an adapter that says never", "rate_limited", { kind: "never" }, 1, 0, "failed"],
  ];
  for (const [title, code, retry, attempts, ageMs, kind] of rows)
    it(title, () => {
      const error = new GatewayError(code, "x", retry === undefined ? {} : { retry });
      assert.equal(afterSendFailure(error, { attempts, ageMs }, 0.5).kind, kind);
    });

  it("never tries before the time that a server asked for, nor within half a second, nor after more than a minute of its own", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...errorCodes),
        fc.integer({ min: 1, max: 50 }),
        fc.option(fc.nat(500_000), { nil: null }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (code, attempts, delayMs, random) => {
          const error = new GatewayError(code, "x", {
            retry: delayMs === null ? { kind: "backoff" } : { kind: "after", delayMs },
          });
          const next = afterSendFailure(error, { attempts, ageMs: 0 }, random);
          if (next.kind !== "retry") return;
          assert.ok(next.delayMs >= Math.max(500, delayMs ?? 0));
          assert.ok(next.delayMs <= Math.max(60_000, delayMs ?? 0));
        },
      ),
    );
  });
});
