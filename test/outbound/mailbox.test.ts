import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { GatewayError } from "../../src/contract/errors.ts";
import { Mailboxes, type MailAnswer } from "../../src/outbound/mailbox.ts";
import { silentLogger } from "../support/silent-logger.ts";
import { StoreJournal } from "../support/store-journal.ts";
import { turns } from "../support/turns.ts";

const web = { key: "web", generation: 1 };
const now = { conversation: "room", after: 0, waitMs: 0, remove: false };
const held = { ...now, waitMs: 30_000 };

class Rig {
  readonly journal: StoreJournal;
  readonly mailboxes: Mailboxes;

  constructor(journal = new StoreJournal()) {
    this.journal = journal;
    this.mailboxes = new Mailboxes({ journal, logger: silentLogger });
  }

  /** Mail that reaches the disk, and then its readers. */
  async deliver(cursor: number, text: string, conversation = "room"): Promise<void> {
    const mail = { key: "web", conversation, cursor, response: Buffer.from(text), atMs: Date.now() };
    await this.journal.commit([{ op: "mail", ...mail }]);
    this.mailboxes.deliver(mail);
  }

  async onDisk(): Promise<readonly number[]> {
    const rows = await this.journal.query("mail", { key: "web", conversation: "room", after: 0, limit: 100 });
    return rows.map(({ cursor }) => cursor);
  }
}

function texts(answer: MailAnswer): string[] {
  assert.deepEqual(
    answer.value.map(([, bytes]) => bytes),
    answer.body.map(({ length }) => length),
  );
  return answer.body.map((bytes) => Buffer.from(bytes).toString());
}

/** Whether a promise has settled by now. */
async function isOpen(promise: unknown): Promise<boolean> {
  const open = Symbol("open");
  await turns();
  return (await Promise.race([promise, Promise.resolve(open)])) === open;
}

describe("Mailboxes.read()", () => {
  it("answers at once with what is there, and asks no disk for it", async () => {
    const rig = new Rig();
    await rig.deliver(1, "one");
    await rig.deliver(2, "two");
    assert.deepEqual(texts(await rig.mailboxes.read(web, now)), ["one", "two"]);
    assert.deepEqual(texts(await rig.mailboxes.read(web, { ...now, after: 1 })), ["two"]);
    assert.deepEqual((await rig.mailboxes.read(web, { ...now, conversation: "other" })).value, []);
    assert.deepEqual(rig.journal.asked, []);
  });

  it("holds a read until mail is on disk", async () => {
    const rig = new Rig();
    const read = rig.mailboxes.read(web, held);
    await rig.deliver(1, "elsewhere", "other");
    assert.ok(await isOpen(read));
    assert.equal(rig.mailboxes.heldCount("web"), 1);
    await rig.deliver(2, "here");
    assert.deepEqual(texts(await read), ["here"]);
    assert.equal(rig.mailboxes.heldCount("web"), 0);
  });

  it("answers with nothing when the wait is over", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const rig = new Rig();
    const read = rig.mailboxes.read(web, held);
    t.mock.timers.tick(30_000);
    assert.deepEqual(await read, { value: [], body: [] });
    assert.equal(rig.mailboxes.heldCount("web"), 0);
  });

  it("waits no longer than a minute, whatever is asked", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const read = new Rig().mailboxes.read(web, { ...held, waitMs: 1e9 });
    t.mock.timers.tick(60_000);
    assert.deepEqual((await read).value, []);
  });

  it("does not hand out again what a read took away, also after a restart", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const rig = new Rig();
    await rig.deliver(1, "one");
    assert.deepEqual(texts(await rig.mailboxes.read(web, { ...now, remove: true })), ["one"]);
    assert.deepEqual((await rig.mailboxes.read(web, now)).value, []);
    t.mock.timers.tick(20);
    await turns();
    const after = new Rig(rig.journal.restarted());
    assert.deepEqual((await after.mailboxes.read(web, now)).value, []);
  });

  it("finds after a restart what was not fetched, and asks for it once", async () => {
    const before = new Rig();
    await before.deliver(before.journal.opened.nextCursor, "old");
    const after = new Rig(before.journal.restarted());
    const cache = new Rig(after.journal).mailboxes;
    assert.deepEqual(texts(await after.mailboxes.read(web, now)), ["old"]);
    assert.deepEqual(texts(await cache.read(web, now)), ["old"]);
  });

  it("gives the mail to the newest of the reads that take it away", async () => {
    const rig = new Rig();
    const older = rig.mailboxes.read(web, { ...held, remove: true });
    const newer = rig.mailboxes.read(web, { ...held, remove: true });
    await rig.deliver(1, "one");
    assert.deepEqual(texts(await newer), ["one"]);
    assert.ok(await isOpen(older));
  });

  it("answers all reads that leave the mail where it is", async () => {
    const rig = new Rig();
    const reads = [rig.mailboxes.read(web, held), rig.mailboxes.read(web, held)];
    await rig.deliver(1, "one");
    for (const read of reads) assert.deepEqual(texts(await read), ["one"]);
  });

  it("hands out a hundred at a time", async () => {
    const rig = new Rig();
    for (let cursor = 1; cursor <= 130; cursor += 1) await rig.deliver(cursor, `t${cursor}`);
    const first = await rig.mailboxes.read(web, now);
    assert.equal(first.value.length, 100);
    const after = first.value.at(-1)?.[0] ?? 0;
    assert.equal((await rig.mailboxes.read(web, { ...now, after })).value.length, 30);
  });

  it("keeps a large answer within a frame", async () => {
    const rig = new Rig();
    for (let cursor = 1; cursor <= 3; cursor += 1) await rig.deliver(cursor, "x".repeat(5_000_000));
    assert.equal((await rig.mailboxes.read(web, now)).value.length, 1);
  });

  it("reads a full mailbox from the journal when it is too large to remember", async () => {
    const before = new Rig();
    const first = before.journal.opened.nextCursor;
    for (let number = 0; number < 130; number += 1) await before.deliver(first + number, `t${number}`);
    const after = new Rig(before.journal.restarted());
    assert.equal((await after.mailboxes.read(web, now)).value.length, 100);
    assert.equal((await after.mailboxes.read(web, { ...now, after: first + 99 })).value.length, 30);
  });

  it("forgets the held reads of a generation that is gone, and no other's", async () => {
    const rig = new Rig();
    void rig.mailboxes.read(web, { ...held, remove: true });
    const successor = rig.mailboxes.read({ ...web, generation: 2 }, { ...held, remove: true });
    rig.mailboxes.gone(web);
    assert.equal(rig.mailboxes.heldCount("web"), 1);
    await rig.deliver(1, "one");
    assert.deepEqual(texts(await successor), ["one"]);
  });

  it("refuses malformed arguments", () => {
    const { mailboxes } = new Rig();
    for (const args of [null, {}, { ...now, conversation: "" }, { ...now, after: -1 }, { ...now, remove: 1 }])
      assert.throws(() => mailboxes.read(web, args), { code: "invalid_request" });
    assert.throws(() => mailboxes.ack(web, { conversation: "room" }), { code: "invalid_request" });
  });

  it("says that the journal is down where only it could tell", async () => {
    const before = new Rig();
    await before.deliver(before.journal.opened.nextCursor, "old");
    const journal = before.journal.restarted();
    const rig = new Rig(journal);
    journal.fail(new GatewayError("journal_unavailable", "no disk"));
    await assert.rejects(async () => rig.mailboxes.read(web, now), { code: "journal_unavailable" });
  });

  it("refuses to hold more than twenty thousand reads of one adapter", async () => {
    const rig = new Rig();
    await using mailboxes = rig.mailboxes;
    for (let number = 0; number < 20_000; number += 1)
      void mailboxes.read(web, { ...held, conversation: `c${number}` });
    assert.throws(() => mailboxes.read(web, held), { code: "queue_full" });
    void mailboxes.read({ key: "web:other", generation: 1 }, held);
  });

  it("answers what is held when it is disposed", async () => {
    const rig = new Rig();
    const read = rig.mailboxes.read(web, held);
    await rig.mailboxes[Symbol.asyncDispose]();
    assert.deepEqual((await read).value, []);
  });
});

describe("Mailboxes.ack()", () => {
  it("removes up to the cursor, on disk too, in one transaction for all that is fetched within 20 ms", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const rig = new Rig();
    for (let cursor = 1; cursor <= 3; cursor += 1) await rig.deliver(cursor, `t${cursor}`);
    rig.mailboxes.ack(web, { conversation: "room", upTo: 1 });
    rig.mailboxes.ack(web, { conversation: "room", upTo: 2 });
    assert.deepEqual(texts(await rig.mailboxes.read(web, now)), ["t3"]);
    await turns();
    assert.equal(rig.journal.commits.length, 3);
    t.mock.timers.tick(20);
    await turns();
    assert.deepEqual(await rig.onDisk(), [3]);
    assert.equal(rig.journal.commits.length, 4);
  });

  it("tries again when the journal was down", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const rig = new Rig();
    await rig.deliver(1, "one");
    rig.journal.fail(new GatewayError("journal_unavailable", "no disk"));
    rig.mailboxes.ack(web, { conversation: "room", upTo: 1 });
    t.mock.timers.tick(20);
    await turns();
    rig.journal.fail(null);
    t.mock.timers.tick(1000);
    await turns();
    t.mock.timers.tick(20);
    await turns();
    assert.deepEqual(await rig.onDisk(), []);
  });
});
