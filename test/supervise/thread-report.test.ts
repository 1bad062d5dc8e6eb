import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { frameKinds, type Frame } from "../../src/contract/frame.ts";
import { parseEvent, parseStarted } from "../../src/supervise/thread-report.ts";

function eventFrame(text: string): Frame {
  return { kind: frameKinds.event, generation: 1, meta: new TextEncoder().encode(text), body: new Uint8Array(0) };
}

describe("parseEvent()", () => {
  const nonsense = ["", "{", "null", "[]", "{}", '{"event":"promote"}', '{"event":7}'];
  for (const text of nonsense) {
    it(`takes ${JSON.stringify(text)} as nothing`, () => assert.equal(parseEvent(eventFrame(text)), null));
  }

  it("takes a close without a readable error as a plain one", () => {
    assert.deepEqual(parseEvent(eventFrame('{"event":"closed","error":{"code":"nope"}}')), {
      event: "closed",
      error: null,
    });
  });

  it("keeps the readable records of a log and bounds a reason", () => {
    const record = { level: "info", name: "hello", fields: {} };
    const text = JSON.stringify({ event: "log", records: [record, { level: "child" }, null], dropped: 3 });
    assert.deepEqual(parseEvent(eventFrame(text)), { event: "log", records: [record], dropped: 3 });
    const long = parseEvent(eventFrame(JSON.stringify({ event: "reconnecting", reason: "x".repeat(9000) })));
    assert.equal(long?.event === "reconnecting" && long.reason.length, 2000);
  });

  it("takes a report of what was missed only where both numbers make sense, and bounds them", () => {
    const report = (missed: string): unknown => parseEvent(eventFrame(`{"event":"missed",${missed}}`));
    assert.deepEqual(report('"messages":3,"gapSeconds":1.5'), { event: "missed", messages: 3, gapSeconds: 1.5 });
    assert.deepEqual(report('"messages":1e300,"gapSeconds":1e300'), {
      event: "missed",
      messages: 1_000_000_000,
      gapSeconds: 31_536_000,
    });
    const senseless = [
      '"messages":-1,"gapSeconds":5',
      '"messages":5,"gapSeconds":-1',
      '"messages":"5","gapSeconds":1',
      '"messages":null,"gapSeconds":1',
      '"messages":1e999,"gapSeconds":1',
      '"messages":5',
      '"messages":0,"gapSeconds":0',
    ];
    for (const missed of senseless) assert.equal(report(missed), null, missed);
  });
});

describe("parseStarted()", () => {
  it("takes what is missing or malformed as not declared", () => {
    for (const value of [null, undefined, 7, "x", [], { maxSilenceMs: -1, pull: "yes", capabilities: [] }])
      assert.deepEqual(parseStarted(value), {
        maxSilenceMs: 0,
        pull: false,
        overlap: false,
        canUpdatePolicy: false,
        canProbe: false,
        canCompleteSend: false,
        sendRates: {},
        capabilities: {},
      });
  });
});
