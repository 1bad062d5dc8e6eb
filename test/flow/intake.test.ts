import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import type { RoutingHeader } from "../../src/contract/message.ts";
import { Intake, type IntakeFrame } from "../../src/flow/intake.ts";
import { messageId } from "../support/flow-fixture.ts";

const limits = { messages: 512, bytes: 8_388_608 };
const oneHeader: RoutingHeader = {
  id: messageId(1),
  conversation: "room",
  kind: "text",
  senderId: "u",
  bytes: 0,
  routing: {},
};

function frame(key: string, messages: number, change: Partial<IntakeFrame> = {}): IntakeFrame {
  const headers = Array.from({ length: messages }, () => oneHeader);
  return {
    key,
    headers,
    body: new Uint8Array(0),
    resume: undefined,
    receivedAtMs: 0,
    settle: () => {},
    ...change,
  };
}

function messagesIn(frames: readonly IntakeFrame[]): number {
  return frames.reduce((total, { headers }) => total + headers.length, 0);
}

describe("Intake", () => {
  it("takes a quiet adapter's frame into the next group, however much another has sent before", () => {
    const intake = new Intake();
    for (let index = 0; index < 100; index += 1) intake.push(frame("flood", 256));
    intake.push(frame("quiet", 1));
    const group = intake.takeGroup(limits);
    assert.ok(group.some(({ key }) => key === "quiet"));
  });

  it("gives adapters that both flood equal shares, whatever the length of their frames", () => {
    const intake = new Intake();
    for (let index = 0; index < 100; index += 1) intake.push(frame("long", 256));
    for (let index = 0; index < 6_400; index += 1) intake.push(frame("short", 4));
    const taken = Array.from({ length: 20 }, () => intake.takeGroup(limits)).flat();
    const long = messagesIn(taken.filter(({ key }) => key === "long"));
    const short = messagesIn(taken.filter(({ key }) => key === "short"));
    assert.ok(Math.abs(long - short) <= 512, `${long} and ${short}`);
  });

  it("ends a group at its bytes", () => {
    const intake = new Intake();
    const body = new Uint8Array(5_000_000);
    for (let index = 0; index < 4; index += 1) intake.push(frame("a", 1, { body }));
    assert.equal(intake.takeGroup(limits).length, 2);
  });

  it("never lets others pass a waiting frame by more than their share, and keeps each adapter's order", () => {
    const key = fc.constantFrom("a", "b", "c", "d");
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ key, messages: fc.integer({ min: 0, max: 256 }) }) },
      { weight: 1, arbitrary: fc.constant(null) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const intake = new Intake();
        const sent = new Map<string, IntakeFrame[]>();
        const taken = new Map<string, IntakeFrame[]>();
        /** Messages of others since the adapter last had a frame taken, or began to wait. */
        const passed = new Map<string, number>();
        const take = (): void => {
          const group = intake.takeGroup(limits);
          assert.ok(messagesIn(group) < limits.messages + 256);
          for (const each of group) {
            taken.set(each.key, [...(taken.get(each.key) ?? []), each]);
            passed.set(each.key, 0);
            for (const [other, count] of passed) if (other !== each.key) passed.set(other, count + messagesIn([each]));
            for (const [waiting, count] of passed) {
              if ((sent.get(waiting)?.length ?? 0) === (taken.get(waiting)?.length ?? 0)) passed.delete(waiting);
              // At most four turns for a frame of 256, in each at most 64 and the rest of a frame from three others.
              else assert.ok(count <= 3 * (4 * 64 + 2 * 256), `${count} messages passed ${waiting}`);
            }
          }
        };
        for (const each of steps) {
          if (each === null) take();
          else {
            const made = frame(each.key, each.messages);
            intake.push(made);
            sent.set(each.key, [...(sent.get(each.key) ?? []), made]);
            if (!passed.has(each.key)) passed.set(each.key, 0);
          }
        }
        while (!intake.isEmpty) take();
        assert.deepEqual(taken, new Map([...taken.keys()].map((name) => [name, sent.get(name)])));
        assert.equal([...taken.values()].flat().length, [...sent.values()].flat().length);
      }),
    );
  });
});
