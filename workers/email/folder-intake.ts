/** One folder into the gateway: what is new in it, in order, a few mails at a time, each of them only once it is on disk. */
import type { AdapterLog } from "../../src/contract/adapter.ts";
import { GatewayError } from "../../src/contract/errors.ts";
import { fetchMails, type ListedMail, listMails, wholeMailBytes } from "./fetch-mail.ts";
import type { MailPlace } from "./file-ref.ts";
import {
  afterMails,
  afterNothing,
  cursorFor,
  type FolderCursor,
  type FolderQuery,
  isKnown,
  nextQuery,
} from "./folder-cursor.ts";
import type { HandOver } from "./hand-over.ts";
import type { ImapConnection } from "./imap-connection.ts";
import type { MailGate, PassedMail } from "./mail-gate.ts";
import type { MimeReader } from "./mime-reader.ts";

/** What is held in memory at once. */
const most = { mails: 25, fetchedBytes: 4_194_304, textCharacters: 1_048_576 } as const;
/** Other folders wait meanwhile. */
const mostPerVisit = 500;
/** A mail that was refused, or under whose reading the connection ended, so often is passed over. */
const mostFailures = 3;
/** Looking through a large folder takes a server its time, in silence. */
const searchSilenceMs = 120_000;

/** What an intake works with. */
export type IntakeParts = {
  readonly log: AdapterLog;
  readonly gate: MailGate;
  readonly handOver: HandOver;
  readonly reader: MimeReader;
  readonly marksSeen: boolean;
};

/** See the file's comment. Outlives its connections. */
export class FolderIntake {
  readonly name: string;
  readonly #parts: IntakeParts;
  /** Up to this mail one at a time: read together they were refused, or ended the connection. */
  #carefulUpTo = 0;
  #suspect: { readonly uid: number; readonly failures: number } = { uid: 0, failures: 0 };
  #wasMarkingRefused = false;

  constructor(name: string, parts: IntakeParts) {
    this.name = name;
    this.#parts = parts;
  }

  /** Whether a folder that looks like this has something to read. */
  hasNews(state: { readonly uidValidity: bigint; readonly uidNext: number }): boolean {
    const cursor = this.#parts.handOver.cursorOf(this.name);
    return cursor?.uidValidity !== String(state.uidValidity) || state.uidNext - 1 > cursor.lastUid;
  }

  /**
   * Reads the open folder on, to its end or for so long that it is another one's turn. Says whether there is more.
   * @throws {GatewayError} when the connection ends, or the generation.
   */
  async catchUp(connection: ImapConnection): Promise<boolean> {
    const { handOver } = this.#parts;
    const { mailbox } = connection;
    if (mailbox === null) throw new GatewayError("internal", `Cannot read the folder ${this.name}: it is not open`);
    const stored = handOver.cursorOf(this.name);
    const opened = {
      uidValidity: mailbox.uidValidity,
      uidNext: await this.#uidNextOf(connection, saidUidNext(mailbox)),
    };
    let cursor = cursorFor(stored, opened);
    if (cursor !== stored) {
      // Other mails have these numbers now.
      this.#carefulUpTo = 0;
      this.#suspect = { uid: 0, failures: 0 };
      // Where it begins is on disk before anything of it is read: a restart begins at the same place.
      await handOver.give(this.name, cursor, []);
    }
    if (cursor.unmarked.length > 0) cursor = await this.#mark(connection, cursor);
    for (let taken = 0; taken < mostPerVisit;) {
      const query = nextQuery(cursor);
      // Before the search: the library raises it with each mail that it hears of meanwhile.
      const uidNext = saidUidNext(mailbox) ?? opened.uidNext;
      const uids = (await this.#search(connection, cursor, query)).slice(0, mostPerVisit);
      taken += uids.length;
      if (uids.length > 0) cursor = await this.#takeAll(connection, cursor, uids);
      else {
        const next = afterNothing(cursor, query, uidNext);
        if (next !== cursor) await handOver.give(this.name, next, []);
        cursor = next;
        if (!query.isOld) return false;
      }
    }
    return true;
  }

  /** Servers may leave it out when they open a folder. */
  async #uidNextOf(connection: ImapConnection, said: number | undefined): Promise<number> {
    if (said !== undefined) return said;
    const what = `see where the folder ${this.name} ends`;
    const state = await connection.run(what, (client) => client.status(this.name, { uidNext: true }));
    const uidNext = state === false ? undefined : state.uidNext;
    if (uidNext === undefined)
      throw new GatewayError("platform_unavailable", `Cannot ${what}: the server does not say`);
    return uidNext;
  }

  async #search(connection: ImapConnection, cursor: FolderCursor, query: FolderQuery): Promise<readonly number[]> {
    const { firstUid, lastUid, isOld } = query;
    const since = cursor.oldSinceMs === null ? [] : [{ since: new Date(cursor.oldSinceMs) }];
    const old = since.length === 0 ? { seen: false } : { or: [{ seen: false }, ...since] };
    const found = await connection.run(
      `search the folder ${this.name}`,
      (client) => client.search({ uid: `${firstUid}:${lastUid ?? "*"}`, ...(isOld ? old : {}) }, { uid: true }),
      { silenceMs: searchSilenceMs },
    );
    if (!Array.isArray(found))
      throw new GatewayError("platform_unavailable", `Cannot search the folder ${this.name}: the server refuses`);
    // `9:*` is also the last mail where that is the seventh.
    return found.filter((uid) => uid >= firstUid);
  }

  async #takeAll(connection: ImapConnection, first: FolderCursor, uids: readonly number[]): Promise<FolderCursor> {
    let cursor = first;
    let left = uids;
    while (left.length > 0) {
      const size = (left[0] ?? 0) <= this.#carefulUpTo ? 1 : most.mails;
      const chunk = left.slice(0, size);
      try {
        cursor = await this.#takeChunk(connection, cursor, chunk);
      } catch (reason) {
        const isRefused = !connection.isOver && isAboutMails(reason);
        if (connection.isOver || isRefused) this.#suspectOf(chunk);
        if (!isRefused) throw reason;
        // Of several now one by one; one alone a few times more, until it is passed over.
        cursor = this.#parts.handOver.cursorOf(this.name) ?? cursor;
      }
      const { lastUid } = cursor;
      left = left.filter((uid) => uid > lastUid);
    }
    return cursor;
  }

  #suspectOf(chunk: readonly number[]): void {
    const [uid = 0] = chunk;
    this.#carefulUpTo = Math.max(this.#carefulUpTo, chunk.at(-1) ?? 0);
    if (chunk.length === 1)
      this.#suspect = { uid, failures: this.#suspect.uid === uid ? this.#suspect.failures + 1 : 1 };
  }

  async #takeChunk(connection: ImapConnection, first: FolderCursor, uids: readonly number[]): Promise<FolderCursor> {
    const { reader, gate } = this.#parts;
    const [only = 0] = uids;
    if (this.#suspect.uid === only && this.#suspect.failures >= mostFailures)
      return this.#passOver(connection, first, only);
    const listed = await listMails(connection, uids);
    const parts = { connection, reader, maxTextBytes: gate.maxTextBytes };
    let cursor = first;
    let batch: PassedMail[] = [];
    let characters = 0;
    for (const group of groupsOf(listed))
      for await (const fetched of fetchMails(parts, group)) {
        const { uid } = fetched.listed;
        const known = cursor;
        const passed = gate.pass(this.#placeOf(cursor, uid), fetched, (id) => isKnown(known, { uid, id }));
        batch.push(passed);
        characters += passed.message?.text.length ?? 0;
        if (characters < most.textCharacters) continue;
        cursor = await this.#give(connection, cursor, batch);
        batch = [];
        characters = 0;
      }
    // What was asked for and is not there any more is dealt with as well.
    const last = uids.at(-1) ?? 0;
    batch.push({ entry: { uid: last, id: null, receivedAtMs: null }, message: null, isMarked: false });
    return this.#give(connection, cursor, batch);
  }

  /** Nothing is known of it, and asking for it fails. */
  #passOver(connection: ImapConnection, cursor: FolderCursor, uid: number): Promise<FolderCursor> {
    const problem = `it could not be read ${mostFailures} times`;
    return this.#give(connection, cursor, [this.#parts.gate.passOver(this.#placeOf(cursor, uid), problem, null)]);
  }

  #placeOf({ uidValidity }: FolderCursor, uid: number): MailPlace {
    return { folder: this.name, uidValidity, uid };
  }

  async #give(connection: ImapConnection, before: FolderCursor, batch: readonly PassedMail[]): Promise<FolderCursor> {
    const marked = this.#parts.marksSeen ? batch.filter(({ isMarked }) => isMarked).map(({ entry }) => entry.uid) : [];
    const messages = batch.flatMap(({ message }) => message ?? []);
    const cursor = afterMails(
      before,
      batch.map(({ entry }) => entry),
      marked,
    );
    await this.#parts.handOver.give(this.name, cursor, messages);
    return marked.length === 0 ? cursor : this.#mark(connection, cursor);
  }

  /** A mail that stays unread is no harm: the cursor knows better. */
  async #mark(connection: ImapConnection, cursor: FolderCursor): Promise<FolderCursor> {
    const uids = [...cursor.unmarked];
    const isDone = await connection.run("mark mails as read", (client) =>
      client.messageFlagsAdd(uids, ["\\Seen"], { uid: true, silent: true }),
    );
    if (!isDone && !this.#wasMarkingRefused) {
      this.#wasMarkingRefused = true;
      this.#parts.log.warn("email-not-marked", { folder: this.name });
    }
    const marked = { ...cursor, unmarked: [] };
    this.#parts.handOver.note(this.name, marked);
    return marked;
  }
}

function saidUidNext({ uidNext }: { readonly uidNext: number }): number | undefined {
  // Whatever the type says, it is what the server has sent.
  return Number.isSafeInteger(uidNext) ? uidNext : undefined;
}

/** Whether a server may have refused for the sake of a mail: not for its own state, which passes. */
function isAboutMails(reason: unknown): boolean {
  const { code, message } = GatewayError.from(reason);
  return code === "platform_unavailable" && !/unavailable|serverbug|temporar|try again|later/iu.test(message);
}

/** What is fetched whole is fetched together, as much as may be held at once. */
function groupsOf(mails: readonly ListedMail[]): readonly (readonly ListedMail[])[] {
  const groups: ListedMail[][] = [[]];
  let bytes = 0;
  for (const mail of mails) {
    const size = mail.sizeBytes <= wholeMailBytes ? mail.sizeBytes : 0;
    if (bytes + size > most.fetchedBytes) {
      groups.push([]);
      bytes = 0;
    }
    groups.at(-1)?.push(mail);
    bytes += size;
  }
  return groups;
}
