import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { GatewayError } from "../../src/contract/errors.ts";
import { CommitQueue, sizeOf, type WaitingCommit } from "../../src/journal/commit-queue.ts";
import { accept, mail, send } from "../support/journal-writes.ts";

function waiting(seq: number, bytes: number, rejected: number[] = []): WaitingCommit {
  return { writes: [accept(seq)], bytes, resolve: () => {}, reject: () => rejected.push(seq) };
}

function seqsOf(group: readonly WaitingCommit[]): number[] {
  return group.flatMap((commit) => commit.writes.map((write) => (write.op === "accept" ? write.seq : 0)));
}

describe("CommitQueue", () => {
  it("fills a group up to its bytes, in order", () => {
    const queue = new CommitQueue();
    for (let seq = 1; seq <= 5; seq += 1) queue.push(waiting(seq, 3 * 2 ** 20));
    assert.deepEqual(seqsOf(queue.takeGroup()), [1, 2]);
    assert.equal(queue.bytes, 9 * 2 ** 20);
    assert.deepEqual(seqsOf(queue.takeGroup()), [3, 4]);
    assert.deepEqual(seqsOf(queue.takeGroup()), [5]);
    assert.deepEqual(queue.takeGroup(), []);
    assert.equal(queue.bytes, 0);
  });

  it("fills a group up to its writes", () => {
    const queue = new CommitQueue();
    for (let seq = 1; seq <= 5_000; seq += 1) queue.push(waiting(seq, 1));
    assert.equal(queue.takeGroup().length, 4_096);
    assert.equal(queue.length, 904);
  });

  it("lets a commit that is larger than a group go alone", () => {
    const queue = new CommitQueue();
    queue.push(waiting(1, 20 * 2 ** 20));
    queue.push(waiting(2, 1));
    assert.deepEqual(seqsOf(queue.takeGroup()), [1]);
  });

  it("puts a group back before all that came since", () => {
    const queue = new CommitQueue();
    for (let seq = 1; seq <= 3; seq += 1) queue.push(waiting(seq, 3 * 2 ** 20));
    const group = queue.takeGroup();
    queue.push(waiting(4, 1));
    queue.putBack(group);
    assert.equal(queue.bytes, 9 * 2 ** 20 + 1);
    assert.deepEqual([...seqsOf(queue.takeGroup()), ...seqsOf(queue.takeGroup())], [1, 2, 3, 4]);
  });

  it("rejects everything that waits, and nothing that was taken", () => {
    const queue = new CommitQueue();
    const rejected: number[] = [];
    for (let seq = 1; seq <= 4; seq += 1) queue.push(waiting(seq, 3 * 2 ** 20, rejected));
    queue.takeGroup();
    queue.rejectAll(new GatewayError("journal_unavailable", "no"));
    assert.deepEqual(rejected, [3, 4]);
    assert.equal(queue.length, 0);
  });
});

describe("sizeOf()", () => {
  it("counts payloads and responses", () => {
    const bytes = new Uint8Array(1_000);
    const writes = [accept(1, { payload: bytes }), send(1, { response: bytes }), mail(1, { response: bytes })];
    assert.equal(sizeOf(writes), 3 * (1_000 + 256));
    assert.equal(sizeOf([{ op: "ack", seq: 1, atMs: 1 }]), 256);
  });
});
