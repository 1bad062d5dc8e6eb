import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  decodeFrame,
  encodeFrame,
  frameKindOf,
  frameKinds,
  FrameSplitter,
  parseMeta,
  stampGeneration,
} from "../../src/contract/frame.ts";

const anyFrame = fc.record({
  kind: fc.constantFrom(...Object.values(frameKinds)),
  generation: fc.nat(),
  meta: fc.jsonValue(),
  body: fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 4 }),
});

describe("encodeFrame()", () => {
  it("is undone by decodeFrame()", () => {
    fc.assert(
      fc.property(anyFrame, ({ kind, generation, meta, body }) => {
        const frame = decodeFrame(encodeFrame(kind, generation, meta, body));
        assert.equal(frame.kind, kind);
        assert.equal(frame.generation, generation);
        assert.deepEqual(parseMeta(frame), JSON.parse(JSON.stringify(meta)));
        assert.deepEqual(Buffer.from(frame.body), Buffer.concat(body));
      }),
    );
  });

  it("refuses a frame longer than the limit", () => {
    assert.throws(() => encodeFrame(frameKinds.data, 1, {}, [new Uint8Array(34_000_000)]), { code: "too_large" });
  });
});

describe("stampGeneration()", () => {
  it("overwrites whatever generation a thread wrote", () => {
    const bytes = encodeFrame(frameKinds.data, 99, { frame: 1 });
    stampGeneration(bytes, 7);
    assert.equal(decodeFrame(bytes).generation, 7);
    assert.equal(frameKindOf(bytes), frameKinds.data);
  });
});

describe("decodeFrame()", () => {
  it("refuses bytes whose lengths do not add up", () => {
    const bytes = encodeFrame(frameKinds.data, 1, { frame: 1 });
    for (let length = 0; length < bytes.length; length += 1)
      assert.throws(() => decodeFrame(bytes.subarray(0, length)), { code: "invalid_request" });
  });
});

describe("FrameSplitter", () => {
  it("gives back the same frames whatever pieces they arrive in", () => {
    fc.assert(
      fc.property(
        fc.array(anyFrame, { minLength: 1, maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 97 })),
        (frames, cuts) => {
          const encoded = frames.map(({ kind, generation, meta, body }) => encodeFrame(kind, generation, meta, body));
          const stream = Buffer.concat(encoded);
          const splitter = new FrameSplitter();
          const received: Uint8Array[] = [];
          let offset = 0;
          for (let piece = 0; offset < stream.length; piece += 1) {
            const length = cuts[piece % Math.max(1, cuts.length)] ?? 13;
            // Copies, as frames from one chunk are views on it.
            received.push(
              ...splitter
                .push(Buffer.from(stream.subarray(offset, offset + length)))
                .map((frame) => Buffer.from(frame)),
            );
            offset += length;
          }
          assert.deepEqual(
            received.map((frame) => Buffer.from(frame)),
            encoded.map((frame) => Buffer.from(frame)),
          );
        },
      ),
    );
  });

  it("ends the link at a frame that announces more than the limit", () => {
    const lie = Buffer.alloc(16);
    lie.writeUInt32LE(0xfffffff0, 0);
    assert.throws(() => new FrameSplitter().push(lie), { code: "too_large" });
  });
});
