import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { MailCache, type Mail } from "../../src/outbound/mail-cache.ts";
import { mockClocks } from "../support/mocked-time.ts";

const fresh = { nextCursor: 1, oldestCursor: null };
const limits = { bytes: 1000, boxes: 100, mailPerBox: 10 };

function mail(cursor: number, conversation = "room", bytes = 10): Mail {
  return { key: "web", conversation, cursor, response: new Uint8Array(bytes), atMs: Date.now() };
}

function cursors(cache: MailCache, after = 0, conversation = "room"): readonly number[] | null {
  return cache.read({ key: "web", conversation, after })?.map(({ cursor }) => cursor) ?? null;
}

describe("MailCache", () => {
  it("knows that a conversation has no mail when the journal had none at the start", () => {
    assert.deepEqual(cursors(new MailCache(fresh)), []);
  });

  it("does not know of mail from before its time", () => {
    const cache = new MailCache({ nextCursor: 50, oldestCursor: 3 });
    assert.equal(cursors(cache, 0), null);
    assert.deepEqual(cursors(cache, 49), []);
    cache.add(mail(50));
    assert.equal(cursors(cache, 0), null);
    assert.deepEqual(cursors(cache, 49), [50]);
  });

  it("knows a conversation once it was told what is on disk", () => {
    const cache = new MailCache({ nextCursor: 50, oldestCursor: 3 });
    cache.add(mail(50));
    cache.learn({ key: "web", conversation: "room", after: 0 }, [mail(7), mail(50)]);
    assert.deepEqual(cursors(cache, 0), [7, 50]);
  });

  it("gives what is after a cursor, in order", () => {
    const cache = new MailCache(fresh);
    for (const cursor of [1, 3, 2]) cache.add(mail(cursor));
    assert.deepEqual(cursors(cache, 1), [2, 3]);
    assert.deepEqual(cursors(cache, 0, "other"), []);
  });

  it("gives nothing that was taken, also when the journal still told of it", () => {
    const cache = new MailCache(fresh);
    for (const cursor of [1, 2, 3]) cache.add(mail(cursor));
    cache.take({ key: "web", conversation: "room", upTo: 2 });
    cache.learn({ key: "web", conversation: "room", after: 0 }, [mail(1), mail(2), mail(3)]);
    assert.deepEqual(cursors(cache), [3]);
  });

  it("gives nothing that is older than a day", (t) => {
    mockClocks(t, 1_000_000_000_000);
    const cache = new MailCache(fresh);
    cache.add(mail(1));
    t.mock.timers.tick(86_400_001);
    cache.add(mail(2));
    assert.deepEqual(cursors(cache), [2]);
  });

  it("forgets the least recently written conversation first", () => {
    const cache = new MailCache(fresh, { ...limits, bytes: 25 });
    cache.add(mail(1, "a"));
    cache.add(mail(2, "b"));
    cache.add(mail(3, "c"));
    assert.equal(cursors(cache, 0, "a"), null);
    assert.deepEqual(cursors(cache, 1, "a"), []);
    // What was never seen may have been forgotten as well.
    assert.equal(cursors(cache, 0, "d"), null);
    assert.deepEqual(cursors(cache, 0, "b"), [2]);
  });

  it("keeps no frame of hundreds of messages for one small response", () => {
    const cache = new MailCache(fresh);
    cache.add({ ...mail(1), response: new Uint8Array(1_000_000).subarray(10, 20) });
    const [kept] = cache.read({ key: "web", conversation: "room", after: 0 }) ?? [];
    assert.equal(kept?.response.buffer.byteLength, 10);
  });

  it("answers like the disk, or not at all, whatever happens", () => {
    const conversation = fc.constantFrom("a", "b", "c");
    const step = fc.oneof(
      fc.record({ kind: fc.constant("add" as const), conversation, bytes: fc.integer({ min: 1, max: 400 }) }),
      fc.record({ kind: fc.constant("take" as const), conversation, back: fc.nat(5) }),
      fc.record({ kind: fc.constant("read" as const), conversation, back: fc.nat(30) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), fc.nat(5), (steps, before) => {
        const disk = new Map<string, Mail[]>(["a", "b", "c"].map((name) => [name, []]));
        let next = 1;
        for (; next <= before; next += 1) disk.get("a")?.push(mail(next, "a"));
        const cache = new MailCache(
          { nextCursor: next, oldestCursor: before === 0 ? null : 1 },
          { bytes: 1000, boxes: 2, mailPerBox: 1000 },
        );
        for (const { kind, conversation: name, ...rest } of steps) {
          const rows = disk.get(name) ?? [];
          if (kind === "add") {
            const added = mail(next, name, "bytes" in rest ? rest.bytes : 1);
            next += 1;
            rows.push(added);
            cache.add(added);
            continue;
          }
          const cursor = Math.max(0, next - 1 - ("back" in rest ? rest.back : 0));
          if (kind === "take") {
            disk.set(
              name,
              rows.filter((row) => row.cursor > cursor),
            );
            cache.take({ key: "web", conversation: name, upTo: cursor });
            continue;
          }
          const wanted = rows.filter((row) => row.cursor > cursor).map((row) => row.cursor);
          const known = cursors(cache, cursor, name);
          if (known !== null) assert.deepEqual(known, wanted);
          else
            cache.learn(
              { key: "web", conversation: name, after: cursor },
              rows.filter((row) => row.cursor > cursor),
            );
        }
      }),
    );
  });
});
