import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  calmWatch,
  describeHang,
  isTransportSilent,
  silenceLimitMs,
  watchForHang,
} from "../../src/supervise/liveness.ts";
import { threadSample } from "../support/fake-hosts.ts";

const hangAfterMs = 10_000;

/** The index of the sample at which it is called hung; `null`: never. */
function hungAt(samples: readonly (readonly [utilization: number, heartbeatAgeMs: number])[]): number | null {
  let watch = calmWatch;
  for (const [index, [utilization, heartbeatAgeMs]] of samples.entries()) {
    const seen = watchForHang(watch, { utilization, heartbeatAgeMs }, hangAfterMs);
    if (seen.isHung) return index;
    watch = seen.watch;
  }
  return null;
}

function every250(fromMs: number, toMs: number, utilization = 1): (readonly [number, number])[] {
  const count = Math.floor((toMs - fromMs) / 250) + 1;
  return Array.from({ length: count }, (_, index) => [utilization, fromMs + index * 250] as const);
}

describe("watchForHang()", () => {
  it("finds a thread that is busy without a heartbeat for hang_after_ms", () => {
    assert.equal(hungAt(every250(0, 20_000)), 40);
  });

  it("lets a busy thread be that still beats", () => {
    assert.equal(hungAt(Array.from({ length: 200 }, (_, index) => [1, (index * 37) % 400] as const)), null);
  });

  it("lets an idle thread be whose heartbeat is old: its timers are late, it is not hung", () => {
    assert.equal(hungAt(every250(0, 60_000, 0.97)), null);
  });

  it("lets a thread be that is seen once, unanswered and ancient", () => {
    assert.equal(hungAt([[1, 3_600_000]]), null);
    assert.equal(
      hungAt([
        [1, 3_600_000],
        [1, 40],
        [0.2, 30],
      ]),
      null,
    );
  });

  it("counts a minute in which its host was stopped as one second", () => {
    const stopped = [...every250(0, 500), [1, 60_500] as const];
    assert.equal(hungAt([...stopped, [1, 60_750], [0.3, 20]]), null);
    assert.equal(hungAt([...stopped, ...every250(60_750, 90_000)]), 37, "it must go on for the rest of the time");
  });

  it("is not taken in by beats that fell between two samples far apart", () => {
    const rising = Array.from({ length: 30 }, (_, index) => [1, 100 + index * 300] as const);
    assert.equal(hungAt(rising), null);
  });

  it("starts over after a beat", () => {
    assert.equal(hungAt([...every250(0, 9000), ...every250(0, 9000)]), null);
  });

  it("needs three samples, however short hang_after_ms is", () => {
    let watch = calmWatch;
    const verdicts = [500, 750, 1000].map((heartbeatAgeMs) => {
      const seen = watchForHang(watch, { utilization: 1, heartbeatAgeMs }, 100);
      watch = seen.watch;
      return seen.isHung;
    });
    assert.deepEqual(verdicts, [false, false, true]);
  });
});

describe("describeHang()", () => {
  it("tells native code, which leaves questions unanswered, from a loop in JavaScript", () => {
    assert.match(describeHang(threadSample({ cpu: null, memory: null })), /native code/u);
    assert.match(describeHang(threadSample()), /JavaScript/u);
  });
});

describe("isTransportSilent()", () => {
  it("knows no silence where a transport has no frames", () => {
    assert.equal(silenceLimitMs(0, "running"), null);
    assert.equal(isTransportSilent(0, 1e12, null), false);
  });

  it("is longer than was declared possible", () => {
    assert.equal(isTransportSilent(0, 60_000, silenceLimitMs(60_000, "running")), false);
    assert.equal(isTransportSilent(0, 60_001, silenceLimitMs(60_000, "running")), true);
  });

  it("gives a library that reconnects by itself more time", () => {
    assert.equal(silenceLimitMs(30_000, "reconnecting"), 300_000);
    assert.equal(silenceLimitMs(120_000, "reconnecting"), 600_000);
  });
});
