/** The answers to every question of the contract, one prepared statement each. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { ErrorReport } from "../src/contract/errors.ts";
import type {
  DeadLetterRow,
  JournalQueries,
  JournalQuery,
  PendingRow,
  SendStatusRow,
} from "../src/contract/journal-query.ts";
import { laneOf } from "./journal-text-index.ts";

/** A function per question. */
export type Answers = {
  readonly [Name in JournalQuery]: (args: JournalQueries[Name]["args"]) => JournalQueries[Name]["answer"];
};

/** What the tables alone cannot answer. */
export type AnswerSources = {
  /** The seq of the message, or of the send, with this id; 0 where it is unknown. */
  seqOfMessage(id: string): number;
  seqOfSend(id: string): number;
  counts(): JournalQueries["counts"]["answer"];
};

type StoredRow = NonNullable<JournalQueries["message"]["answer"]>;

/** No answer has more rows, whatever was asked for. */
const mostRows = 10_000;

const pendingColumns = `m.seq, m.id, m.key, m.conversation, p.consumer, p.attempt, p.not_before AS notBeforeMs,
  p.leased, p.bytes, m.at AS atMs`;
const pendingRows = `SELECT ${pendingColumns} FROM pending p JOIN messages m ON m.seq = p.seq`;
const deadRows = `SELECT ${pendingColumns}, p.reason, p.at AS deadAtMs, p.error FROM dead p JOIN messages m ON m.seq = p.seq`;
const sendColumns = `sends.seq, id, key, conversation, idempotency_key AS idempotencyKey, state, at AS atMs,
  due_at AS dueAtMs, attempts, next_attempt_at AS nextAttemptAtMs`;
const among = "IN (SELECT value FROM json_each(?))";

/** The answers, over `database`. */
export function prepareAnswers(database: DatabaseSync, sources: AnswerSources): Answers {
  const statement = (sql: string): StatementSync => database.prepare(sql);
  const pending = statement(`${pendingRows} WHERE p.seq > ? ORDER BY p.seq LIMIT ?`);
  const lane = statement(
    `${pendingRows} WHERE p.lane = ? AND p.seq > ? AND m.key = ? AND m.conversation = ? ORDER BY p.seq LIMIT ?`,
  );
  const backlog = statement(
    `${pendingRows} WHERE p.seq > ? AND p.seq <= ? AND p.key = ? AND p.consumer = ? ORDER BY p.seq LIMIT ?`,
  );
  const payloads = statement(`SELECT seq, payload FROM messages WHERE seq ${among} ORDER BY seq`);
  const headers = statement(`SELECT seq, header FROM messages WHERE seq ${among} ORDER BY seq`);
  const deadLetters = statement(`${deadRows} WHERE p.seq > ? ORDER BY p.seq LIMIT ?`);
  const deadLetter = statement(`${deadRows} WHERE p.seq = ?`);
  const message = statement("SELECT key, conversation, payload FROM messages WHERE seq = ?");
  const openSends = statement(
    `SELECT ${sendColumns}, changed_at AS changedAtMs, response FROM sends JOIN send_bodies ON send_bodies.seq = sends.seq
     WHERE key = ? AND state IN ('queued', 'attempted') AND due_at = 0 AND sends.seq > ? ORDER BY sends.seq LIMIT ?`,
  );
  const dueSends = statement(
    `SELECT key, min(seq) AS firstSeq, max(seq) AS lastSeq FROM sends WHERE due_at > 0 AND due_at <= ? GROUP BY key`,
  );
  const nextDue = statement("SELECT min(due_at) AS dueAtMs FROM sends WHERE due_at > 0 AND due_at > ?");
  const send = statement(
    `SELECT ${sendColumns}, platform_message_id AS platformMessageId, error FROM sends WHERE seq = ?`,
  );
  const mail = statement(
    "SELECT cursor, response FROM mailbox WHERE key = ? AND conversation = ? AND cursor > ? ORDER BY cursor LIMIT ?",
  );
  const scope = statement("SELECT key, value FROM store WHERE scope = ?");
  return {
    pending: ({ afterSeq, limit }) => rowsOf<PendingRow>(pending, afterSeq, bound(limit)).map(withLeased),
    lane: ({ key, conversation, afterSeq, limit }) =>
      rowsOf<PendingRow>(lane, laneOf(key, conversation), afterSeq, key, conversation, bound(limit)).map(withLeased),
    backlog: ({ key, consumer, afterSeq, upToSeq, limit }) =>
      rowsOf<PendingRow>(backlog, afterSeq, upToSeq, key, consumer, bound(limit)).map(withLeased),
    payloads: ({ seqs }) => rowsOf(payloads, JSON.stringify(seqs)),
    headers: ({ seqs }) => rowsOf(headers, JSON.stringify(seqs)),
    deadLetters: ({ afterSeq, limit }) =>
      rowsOf<DeadLetterRow>(deadLetters, afterSeq, bound(limit)).map(withLeased).map(withError),
    deadLetter: ({ id }) => {
      const [row] = rowsOf<DeadLetterRow>(deadLetter, sources.seqOfMessage(id)).map(withLeased).map(withError);
      const [stored] = rowsOf<StoredRow>(message, row?.seq ?? 0);
      return row === undefined || stored === undefined ? null : { row, payload: stored.payload };
    },
    message: ({ id }) => rowsOf<StoredRow>(message, sources.seqOfMessage(id))[0] ?? null,
    openSends: ({ key, afterSeq, limit }) => rowsOf(openSends, key, afterSeq, bound(limit)),
    heldSends: ({ upToMs }) => ({
      due: rowsOf(dueSends, upToMs),
      nextDueAtMs: rowsOf<{ dueAtMs: number | null }>(nextDue, upToMs)[0]?.dueAtMs ?? null,
    }),
    send: ({ id }) => rowsOf<SendStatusRow>(send, sources.seqOfSend(id)).map(withError)[0] ?? null,
    mail: ({ key, conversation, after, limit }) => rowsOf(mail, key, conversation, after, bound(limit)),
    scope: (args) => {
      const rows = rowsOf<{ key: string; value: string }>(scope, args.scope);
      return Object.fromEntries(rows.map((row) => [row.key, row.value]));
    },
    counts: () => sources.counts(),
  };
}

/** The rows as the caller's select names them. */
function rowsOf<Row>(statement: StatementSync, ...values: (string | number)[]): Row[] {
  return statement.all(...values) as Row[];
}

function bound(limit: number): number {
  return Math.max(0, Math.min(limit, mostRows));
}

/** SQLite has no booleans. */
function withLeased<Row extends { readonly leased: unknown }>(row: Row): Row & { readonly leased: boolean } {
  return { ...row, leased: Number(row.leased) === 1 };
}

function withError<Row extends { readonly error: unknown }>(row: Row): Row & { readonly error: ErrorReport | null } {
  return { ...row, error: typeof row.error === "string" ? (JSON.parse(row.error) as ErrorReport) : null };
}
