import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  afterMails,
  afterNothing,
  cursorFor,
  cursorsFrom,
  type FolderCursor,
  isKnown,
  nextQuery,
} from "../../../workers/email/folder-cursor.ts";

const hour = 3_600_000;

describe("cursorFor()", () => {
  it("begins a new folder at what is unread in it", () => {
    const cursor = cursorFor(null, { uidValidity: 7n, uidNext: 101 });
    assert.deepEqual(nextQuery(cursor), { firstUid: 1, lastUid: 100, isOld: true });
    assert.equal(cursor.oldSinceMs, null);
  });

  it("goes on in a folder that is the same", () => {
    const cursor = { ...cursorFor(null, { uidValidity: 7n, uidNext: 1 }), lastUid: 50 };
    assert.equal(cursorFor(cursor, { uidValidity: 7n, uidNext: 60 }), cursor);
    assert.deepEqual(nextQuery(cursor), { firstUid: 51, lastUid: null, isOld: false });
  });

  it("looks back to the last mail where the folder was numbered anew, and knows what it has read", () => {
    const first = cursorFor(null, { uidValidity: 7n, uidNext: 1 });
    const read = afterMails(first, [{ uid: 3, id: "<a@b>#abcdefghijklmnop", receivedAtMs: 100 * hour }], []);
    const again = cursorFor(read, { uidValidity: 8n, uidNext: 40 });
    assert.deepEqual([again.lastUid, again.oldUpTo, again.oldSinceMs], [0, 39, 76 * hour]);
    assert.ok(isKnown(again, { uid: 9, id: "<a@b>#abcdefghijklmnop" }));
    assert.ok(!isKnown(again, { uid: 9, id: "<a@b>#otherdigest0000x" }));
    assert.ok(!isKnown(again, { uid: 40, id: "<a@b>#abcdefghijklmnop" }), "what is new is known by the gateway alone");
  });
});

describe("a folder read by its cursor", () => {
  type Held = { readonly uid: number; readonly isUnread: boolean };

  /** What a reader gets of `folder` from `cursor` on, a few at a time, with a death after `steps`. */
  function readOn(
    start: FolderCursor,
    folder: readonly Held[],
    steps: number,
  ): { cursor: FolderCursor; uids: number[] } {
    let cursor = start;
    const uids: number[] = [];
    for (let step = 0; step < steps; step += 1) {
      const query = nextQuery(cursor);
      const found = folder.filter(
        ({ uid, isUnread }) =>
          uid >= query.firstUid && uid <= (query.lastUid ?? Infinity) && (!query.isOld || isUnread),
      );
      const batch = found.slice(0, 3);
      if (batch.length === 0) {
        const next = afterNothing(cursor, query, (folder.at(-1)?.uid ?? 0) + 1);
        if (next === cursor) break;
        cursor = next;
        continue;
      }
      uids.push(...batch.map(({ uid }) => uid));
      const mails = batch.map(({ uid }) => ({ uid, id: `#${uid}`, receivedAtMs: uid }));
      cursor = afterMails(cursor, mails, []);
    }
    return { cursor, uids };
  }

  it("gives every mail that was unread or came later, once and in order, whatever happens in between", () => {
    const sizes = fc.array(fc.record({ gap: fc.integer({ min: 1, max: 4 }), isUnread: fc.boolean() }), {
      maxLength: 20,
    });
    fc.assert(
      fc.property(sizes, sizes, fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 6 }), (before, later, deaths) => {
        let uid = 0;
        const hold = (entries: typeof before): Held[] =>
          entries.map(({ gap, isUnread }) => ({ uid: (uid += gap), isUnread }));
        const old = hold(before);
        let cursor = cursorFor(null, { uidValidity: 1n, uidNext: uid + 1 });
        // Somebody reads everything meanwhile: what came later counts all the same.
        const folder = [...old, ...hold(later)];
        const uids: number[] = [];
        for (const steps of [...deaths, 1_000]) {
          const part = readOn(cursor, folder, steps);
          // What a life has stored is all that the next one knows.
          cursor = JSON.parse(JSON.stringify(part.cursor)) as FolderCursor;
          uids.push(...part.uids);
        }
        const wanted = folder.filter((held, index) => index >= old.length || held.isUnread).map((held) => held.uid);
        assert.deepEqual(uids, wanted);
      }),
    );
  });
});

describe("cursorsFrom()", () => {
  const cursor = cursorFor(null, { uidValidity: 7n, uidNext: 5 });

  it("reads what was stored", () => {
    const stored = JSON.parse(JSON.stringify({ version: 1, folders: { INBOX: cursor } })) as unknown;
    assert.deepEqual([...cursorsFrom(stored)], [["INBOX", cursor]]);
  });

  const others = [
    null,
    undefined,
    7,
    "x",
    {},
    { version: 2, folders: { INBOX: cursor } },
    { version: 1, folders: null },
    { version: 1, folders: { INBOX: { ...cursor, lastUid: -1 } } },
    { version: 1, folders: { INBOX: { ...cursor, lastUid: "5" } } },
    { version: 1, folders: { INBOX: { ...cursor, unmarked: [1, "2"] } } },
    { version: 1, folders: { INBOX: { ...cursor, recent: undefined } } },
  ];
  for (const stored of others)
    it(`finds nothing in ${JSON.stringify(stored)?.slice(0, 60)}`, () => assert.equal(cursorsFrom(stored).size, 0));

  it("stays small, however many mails were read", () => {
    let grown = cursor;
    for (let uid = 1; uid <= 1_000; uid += 1)
      grown = afterMails(grown, [{ uid, id: `<${"x".repeat(300)}@y>#${"d".repeat(16)}`, receivedAtMs: uid }], [uid]);
    assert.ok(JSON.stringify(grown).length < 1_000, `${JSON.stringify(grown).length} characters`);
  });
});
