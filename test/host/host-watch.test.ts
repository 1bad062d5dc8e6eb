import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { HostWatch, type WatchedHost } from "../../src/host/host-watch.ts";

function watchedHost(overrides: Partial<WatchedHost["connection"]> = {}): WatchedHost {
  return { connection: { lastFrameMs: 0, rssBytes: 0, kind: "shared", isCondemned: false, ...overrides } };
}

describe("HostWatch", () => {
  it("finds a host silent that has said nothing for 5 s", () => {
    const watch = new HostWatch(1000);
    const silent = watchedHost();
    const talking = watchedHost({ lastFrameMs: 5000 });
    for (let nowMs = 0; nowMs <= 5000; nowMs += 500)
      assert.deepEqual(watch.check([silent, talking], nowMs), [], `at ${nowMs}`);
    assert.deepEqual(watch.check([silent, talking], 5500), [{ host: silent, finding: "silent" }]);
  });

  it("does not blame a host for the coordinator's own stall", () => {
    const watch = new HostWatch(1000);
    const host = watchedHost();
    watch.check([host], 0);
    assert.deepEqual(watch.check([host], 60_000), []);
    assert.deepEqual(watch.check([host], 60_500), []);
  });

  it("never finds the coordinator's own process silent", () => {
    const watch = new HostWatch(1000);
    const inline = watchedHost({ kind: "inline", rssBytes: 5000 });
    for (let nowMs = 0; nowMs <= 20_000; nowMs += 500) assert.deepEqual(watch.check([inline], nowMs), []);
  });

  it("finds a host too large only when it stays so, and once", () => {
    const watch = new HostWatch(1000);
    const host = watchedHost({ rssBytes: 2000 });
    let findings = 0;
    for (let look = 0; look < 20; look += 1) {
      host.connection.lastFrameMs = look * 500;
      findings += watch.check([host], look * 500).length;
      if (look === 4) assert.equal(findings, 0);
    }
    assert.equal(findings, 1);
  });
});
