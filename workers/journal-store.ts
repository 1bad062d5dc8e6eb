/** The journal itself: a plain class over one SQLite connection. Every write says a state, so writing it again is harmless. */
import type { DatabaseSync } from "node:sqlite";
import type { JournalOpened, JournalWrite, WriteResult } from "../src/contract/journal.ts";
import type { JournalCounts, JournalQueries, JournalQuery } from "../src/contract/journal-query.ts";
import type { JournalTask } from "../src/contract/journal-wire.ts";
import { numberOf, openDatabase } from "./journal-database.ts";
import { journalError } from "./journal-error.ts";
import { MailStore } from "./journal-mail.ts";
import { MessageStore } from "./journal-messages.ts";
import { Pruner, type PruneBounds } from "./journal-prune.ts";
import { prepareAnswers, type Answers } from "./journal-queries.ts";
import { SendStore } from "./journal-sends.ts";
import { fresh } from "./journal-write-result.ts";

/** The journal's tables, open. Not safe to share: one owner, one thread. */
export class JournalStore implements Disposable {
  readonly opened: JournalOpened;
  readonly #database: DatabaseSync;
  readonly #messages: MessageStore;
  readonly #sends: SendStore;
  readonly #mail: MailStore;
  readonly #pruner: Pruner;
  readonly #answers: Answers;
  readonly #statements: ReturnType<typeof prepareStatements>;
  #hasDeleted = false;

  /**
   * Opens or makes the file.
   * @throws {GatewayError} `journal_unavailable` when it can be neither.
   */
  static open(task: JournalTask): JournalStore {
    try {
      return new JournalStore(task);
    } catch (reason) {
      throw journalError(`open the journal ${task.path ?? "in memory"}`, reason);
    }
  }

  private constructor(task: JournalTask) {
    const { database, setAsidePath } = openDatabase(task);
    this.#database = database;
    this.#messages = new MessageStore(database);
    this.#sends = new SendStore(database);
    this.#mail = new MailStore(database);
    this.#pruner = new Pruner(database);
    this.#statements = prepareStatements(database);
    this.#answers = prepareAnswers(database, {
      seqOfMessage: (id) => this.#messages.seqOf(id),
      seqOfSend: (id) => this.#sends.seqOf(id),
      counts: () => this.#counts(),
    });
    this.opened = {
      nextSeq: this.#messages.highestSeq + 1,
      nextSendSeq: this.#sends.highestSeq + 1,
      nextCursor: this.#mail.highestCursor + 1,
      oldestCursor: this.#mail.oldestCursor,
      setAsidePath,
    };
  }

  /**
   * One transaction: on disk when this returns, or nothing happened.
   * @throws {GatewayError} `journal_unavailable` when the disk or the file is to blame.
   */
  apply(writes: readonly JournalWrite[]): WriteResult[] {
    try {
      this.#statements.begin.run();
      const results = writes.map((write) => this.#write(write));
      this.#messages.flush();
      if (this.#hasDeleted) this.#keepNumbers();
      this.#statements.commit.run();
      this.#messages.settle(true);
      this.#sends.settle(true);
      return results;
    } catch (reason) {
      this.#rollBack();
      throw journalError("write the journal", reason);
    } finally {
      this.#hasDeleted = false;
    }
  }

  /** @throws {GatewayError} `journal_unavailable` when the file cannot be read. */
  query<Name extends JournalQuery>(name: Name, args: JournalQueries[Name]["args"]): JournalQueries[Name]["answer"] {
    try {
      return this.#answers[name](args);
    } catch (reason) {
      throw journalError("read the journal", reason);
    }
  }

  /**
   * Writes what needs fresh room on the disk, and removes it again.
   * @throws {GatewayError} `journal_unavailable` while there is none.
   */
  probe(): void {
    for (const value of ["x".repeat(65_536), null]) this.apply([{ op: "put", scope: "journal", key: "probe", value }]);
  }

  /** Notes that all is well, empties the write-ahead log and closes. Twice is harmless. */
  [Symbol.dispose](): void {
    if (!this.#database.isOpen) return;
    try {
      this.#database.exec("UPDATE meta SET is_clean = 1; PRAGMA wal_checkpoint(TRUNCATE)");
    } catch {
      // A full disk: the next opening finds the write-ahead log, and checks the file.
    }
    this.#database.close();
  }

  #write(write: JournalWrite): WriteResult {
    switch (write.op) {
      case "accept":
        return this.#messages.accept(write);
      case "lease":
        return this.#messages.lease(write.seq);
      case "ack":
        return this.#messages.ack(write.seq, write.atMs);
      case "nack":
        return this.#messages.nack(write);
      case "bury":
        return this.#messages.bury(write);
      case "revive":
        return this.#messages.revive(write.seq);
      case "discard":
        return this.#messages.discard(write.seq);
      case "assign":
        return this.#messages.assign(write.seq, write.consumer);
      case "send":
        return this.#sends.add(write.send);
      case "sendState":
        return this.#sends.setState(write);
      case "releaseSends":
        return this.#sends.release(write);
      case "mail":
        this.#hasDeleted = this.#mail.add(write) || this.#hasDeleted;
        return fresh;
      case "mailTaken":
        this.#hasDeleted = true;
        return this.#mail.take(write);
      case "put":
        if (write.value === null) this.#statements.remove.run(write.scope, write.key);
        else this.#statements.put.run(write.scope, write.key, write.value);
        return fresh;
      case "prune":
        break;
    }
    return this.#prune(write);
  }

  #prune(bounds: PruneBounds): WriteResult {
    this.#messages.flush();
    const pruned = this.#pruner.prune(bounds, this.#messages.tally.ackedBytes);
    this.#messages.pruned(pruned);
    this.#sends.pruned(pruned.sends);
    this.#mail.pruned(pruned.mailboxes);
    this.#hasDeleted = true;
    return fresh;
  }

  /** The highest numbers, since the rows that carry them may be gone. */
  #keepNumbers(): void {
    this.#statements.keepNumbers.run(this.#messages.highestSeq, this.#sends.highestSeq, this.#mail.highestCursor);
  }

  #rollBack(): void {
    // SQLite has already done so itself after some errors.
    if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
    this.#messages.settle(false);
    this.#sends.settle(false);
    this.#mail.forget();
  }

  #counts(): JournalCounts {
    const pages = numberOf(this.#database, "PRAGMA page_count") - numberOf(this.#database, "PRAGMA freelist_count");
    return { ...this.#messages.tally.snapshot(), bytes: pages * numberOf(this.#database, "PRAGMA page_size") };
  }
}

function prepareStatements(database: DatabaseSync) {
  return {
    begin: database.prepare("BEGIN IMMEDIATE"),
    commit: database.prepare("COMMIT"),
    keepNumbers: database.prepare("UPDATE meta SET seq = ?, send_seq = ?, cursor = ?"),
    put: database.prepare("INSERT INTO store VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value"),
    remove: database.prepare("DELETE FROM store WHERE scope = ? AND key = ?"),
  };
}
