import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import type { JournalWrite } from "../../src/contract/journal.ts";
import { decodeGroup, encodeGroup, packAnswer, unpackAnswer } from "../../src/contract/journal-wire.ts";

const text = fc.string({ maxLength: 12 });
const number = fc.nat();
const bytes = fc.uint8Array({ maxLength: 40 });

const write: fc.Arbitrary<JournalWrite> = fc.oneof(
  fc.record({
    op: fc.constant("accept" as const),
    seq: number,
    id: text,
    key: text,
    conversation: text,
    consumer: text,
    header: text,
    payload: bytes,
    atMs: number,
    leased: fc.boolean(),
  }),
  fc.record({ op: fc.constant("ack" as const), seq: number, atMs: number }),
  fc.record({
    op: fc.constant("send" as const),
    send: fc.record({
      id: text,
      seq: number,
      key: text,
      conversation: text,
      idempotencyKey: text,
      response: bytes,
      state: fc.constant("queued" as const),
      atMs: number,
      dueAtMs: number,
    }),
  }),
  fc.record({
    op: fc.constant("mail" as const),
    cursor: number,
    key: text,
    conversation: text,
    response: bytes,
    atMs: number,
  }),
  fc.record({ op: fc.constant("put" as const), scope: text, key: text, value: fc.option(text) }),
  fc.record({ op: fc.constant("lease" as const), seq: number }),
);

/** Views of one buffer are not deeply equal to arrays of their own. */
function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, field) => (ArrayBuffer.isView(field) ? [...(field as Uint8Array)] : field)),
  );
}

describe("encodeGroup()", () => {
  it("comes back as it was through a structured clone", () => {
    fc.assert(
      fc.property(fc.array(fc.array(write, { maxLength: 6 }), { maxLength: 6 }), (commits) => {
        const encoded = encodeGroup(commits);
        const received = structuredClone(encoded, { transfer: [encoded.bytes.buffer] });
        assert.deepEqual(
          received.sizes,
          commits.map((commit) => commit.length),
        );
        assert.deepEqual(plain(decodeGroup(received.writes, received.bytes)), plain(commits.flat()));
      }),
    );
  });
});

describe("packAnswer()", () => {
  it("joins the rows' bytes in one buffer and gives them back", () => {
    const rows = [
      { seq: 1, payload: Uint8Array.of(1, 2, 3) },
      { seq: 2, payload: new Uint8Array(0) },
      { seq: 9, payload: Uint8Array.of(4) },
    ];
    const packed = packAnswer("payloads", rows);
    assert.equal(packed.bytes?.length, 4);
    assert.deepEqual(plain(unpackAnswer("payloads", packed.answer, packed.bytes)), plain(rows));
  });

  it("leaves an answer without bytes alone", () => {
    const packed = packAnswer("scope", { a: "1" });
    assert.deepEqual(packed, { answer: { a: "1" }, bytes: null });
    assert.deepEqual(unpackAnswer("scope", packed.answer, packed.bytes), { a: "1" });
  });
});
