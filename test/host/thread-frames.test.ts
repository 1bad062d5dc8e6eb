import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  decodeFrame,
  encodeFrame,
  FrameSplitter,
  frameKinds,
  joinFrames,
  threadFrameKinds,
} from "../../src/contract/frame.ts";
import { framesOfThread } from "../../src/host/thread-frames.ts";

const frame = fc
  .record({
    kind: fc.constantFrom(...Object.values(frameKinds)),
    generation: fc.integer({ min: 0, max: 100 }),
    text: fc.string(),
  })
  .map(({ kind, generation, text }) => encodeFrame(kind, generation, { text }));

describe("framesOfThread()", () => {
  it("passes on whole frames of a thread's own kinds under its own stamp, whatever it says, and nothing else", () => {
    fc.assert(
      fc.property(fc.array(frame), frame, fc.nat(), (whole, last, cut) => {
        // What is left over is the beginning of a frame, as of one in another's name.
        const rest = last.subarray(0, cut % last.length);
        const sent = framesOfThread(7, joinFrames([...whole, new Uint8Array(rest)]));
        const splitter = new FrameSplitter();
        const heard = sent.flatMap((bytes) => splitter.push(bytes)).map((bytes) => decodeFrame(bytes));
        const neighbours = encodeFrame(frameKinds.event, 8, { event: "loaded" });
        assert.deepEqual(
          splitter.push(neighbours).map((bytes) => decodeFrame(bytes).generation),
          [8],
        );
        assert.deepEqual(
          heard.map(({ kind, generation }) => [kind, generation]),
          whole
            .map((bytes) => decodeFrame(bytes).kind)
            .filter((kind) => threadFrameKinds.has(kind))
            .map((kind) => [kind, 7]),
        );
      }),
    );
  });
});
