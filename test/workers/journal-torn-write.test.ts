/** What a power cut may leave of the journal's last writes: torn anywhere, it opens with all commits that were whole, and no other. */
import assert from "node:assert/strict";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import fc from "fast-check";
import { JournalStore } from "../../workers/journal-store.ts";
import { accept } from "../support/journal-writes.ts";

const commits = 12;
const pageBytes = 4_096;
let directory = "";

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "bulkhead-torn-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function open(path: string): JournalStore {
  return JournalStore.open({ path, durability: "full", check: "auto", maxPages: null });
}

/** The files of a gateway that was cut off after the last of its commits; `ends`: how long the log was after each. */
function cutOff(): { readonly path: string; readonly ends: readonly number[] } {
  const path = join(directory, "journal.db");
  const copy = join(directory, "cut-off.db");
  using store = open(path);
  const ends: number[] = [];
  for (let seq = 1; seq <= commits; seq += 1) {
    store.apply([accept(seq, { payload: new Uint8Array(seq * 1_500).fill(seq) })]);
    ends.push(statSync(`${path}-wal`).size);
  }
  copyFileSync(path, copy);
  copyFileSync(`${path}-wal`, `${copy}-wal`);
  return { path: copy, ends };
}

/** What is there once the files, as `damage` leaves them, are opened in a directory of their own. */
function openedAfter(from: string, damage: (path: string) => void): readonly number[] {
  const place = mkdtempSync(join(directory, "life-"));
  mkdirSync(place, { recursive: true });
  const path = join(place, "journal.db");
  copyFileSync(from, path);
  copyFileSync(`${from}-wal`, `${path}-wal`);
  damage(path);
  using store = open(path);
  assert.equal(store.opened.setAsidePath, null, "a torn write is no corruption");
  const rows = store.query("pending", { afterSeq: 0, limit: 1_000 });
  assert.deepEqual(store.apply([accept(1_000)]), [{ duplicate: false, existingId: null }]);
  return rows.map(({ seq }) => seq);
}

function firstSeqs(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}

describe("a journal whose last write is torn", () => {
  it("keeps every commit before the place where its log ends", () => {
    const { path, ends } = cutOff();
    const end = ends.at(-1) ?? 0;
    const cut = fc.oneof(fc.nat(end), fc.constantFrom(...ends), fc.constantFrom(...ends.map((at) => at - 1)));
    const keeps = fc.property(cut, (cutAt) => {
      const seqs = openedAfter(path, (copy) => truncateSync(`${copy}-wal`, cutAt));
      assert.deepEqual(seqs, firstSeqs(ends.filter((at) => at <= cutAt).length));
    });
    fc.assert(keeps, { numRuns: 60 });
  });

  it("keeps every commit before a page of its log that never reached the disk whole", () => {
    const { path, ends } = cutOff();
    const end = ends.at(-1) ?? 0;
    const place = fc.record({
      at: fc.integer({ min: ends[0] ?? 0, max: end - 1 }),
      bytes: fc.integer({ min: 1, max: pageBytes }),
    });
    const keeps = fc.property(place, ({ at, bytes }) => {
      const seqs = openedAfter(path, (copy) => {
        const log = readFileSync(`${copy}-wal`);
        for (let offset = at; offset < Math.min(end, at + bytes); offset += 1) log[offset] = (log[offset] ?? 0) ^ 0xff;
        writeFileSync(`${copy}-wal`, log);
      });
      assert.deepEqual(seqs, firstSeqs(ends.filter((until) => until <= at).length));
    });
    fc.assert(keeps, { numRuns: 60 });
  });

  it("keeps all of it where a page of the file itself was torn while the log was carried over", () => {
    const { path } = cutOff();
    const seqs = openedAfter(path, (copy) => {
      // The log has the page still: only a file that is whole lets it go.
      const file = readFileSync(copy);
      file.fill(0, file.length - pageBytes / 2);
      writeFileSync(copy, file);
    });
    assert.deepEqual(seqs, firstSeqs(commits));
  });
});
