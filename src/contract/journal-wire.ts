/**
 * What the coordinator and the journal's thread say to each other. A group of commits travels as one flat list, its
 * payloads joined in one transferred buffer: a third of the cost of cloning the writes one by one (0.3 us each).
 */
import type { ErrorReport } from "./errors.ts";
import type { JournalOpened, JournalWrite } from "./journal.ts";
import type { JournalQueries, JournalQuery } from "./journal-query.ts";

/** `full`: a power cut loses nothing. `normal`: it may lose the last commits. `memory`: nothing survives the process. */
export type Durability = "full" | "normal" | "memory";

/**
 * How closely a file is looked at when it is opened. `auto`: as its size and its last shutdown ask for; `skip`: it was
 * open in this process a moment ago; `full`: it showed damage.
 */
export type JournalCheck = "auto" | "skip" | "full";

/** The journal thread's task, but for its port. */
export type JournalTask = {
  /** Absolute; `null` for memory. */
  readonly path: string | null;
  readonly durability: Durability;
  readonly check: JournalCheck;
  /** The most pages of 4 KiB the file may have; `null`: no limit. For tests of a full disk. */
  readonly maxPages: number | null;
};

/** A coordinator's frame to the journal's thread. */
export type ToJournalThread =
  | {
      readonly kind: "group";
      readonly number: number;
      /** How many writes each commit has. */
      readonly sizes: readonly number[];
      readonly writes: readonly unknown[];
      readonly bytes: Uint8Array;
    }
  | { readonly kind: "query"; readonly number: number; readonly name: JournalQuery; readonly args: unknown }
  /** Can it write? Answered by `probed` or by `refused`. */
  | { readonly kind: "probe" }
  | { readonly kind: "close" };

/** The journal's thread's frame to the coordinator. */
export type FromJournalThread =
  | { readonly kind: "opened"; readonly opened: JournalOpened }
  /** It cannot go on and ends. `isDamaged`: the file is, so the next one should look closely. */
  | { readonly kind: "failed"; readonly error: ErrorReport; readonly isDamaged: boolean }
  | {
      readonly kind: "done";
      readonly number: number;
      /** Writes that were duplicates, by their place in the group; all others were not. */
      readonly duplicates: readonly { readonly index: number; readonly existingId: string | null }[];
      /** Commits that failed alone, by their place in the group. */
      readonly failures: readonly { readonly commit: number; readonly error: ErrorReport }[];
    }
  /** A group or (`number` null) a probe that could not be written; nothing of it was. */
  | { readonly kind: "refused"; readonly number: number | null; readonly error: ErrorReport }
  | { readonly kind: "probed" }
  | { readonly kind: "answer"; readonly number: number; readonly answer: unknown; readonly bytes: Uint8Array | null }
  | { readonly kind: "unanswered"; readonly number: number; readonly error: ErrorReport };

const codeAccept = 0;
const codeAck = 1;
const codeSend = 2;
const codeMail = 3;
const codeOther = 4;

/** A group's commits as one flat list and one buffer, which may be transferred. */
export function encodeGroup(commits: readonly (readonly JournalWrite[])[]): {
  readonly sizes: number[];
  readonly writes: unknown[];
  readonly bytes: Uint8Array<ArrayBuffer>;
} {
  const sizes: number[] = [];
  const writes: unknown[] = [];
  const parts: Uint8Array[] = [];
  for (const commit of commits) {
    sizes.push(commit.length);
    for (const write of commit) encodeWrite(write, writes, parts);
  }
  return { sizes, writes, bytes: joinBytes(parts) };
}

function encodeWrite(write: JournalWrite, writes: unknown[], parts: Uint8Array[]): void {
  if (write.op === "accept") {
    const { seq, id, key, conversation, consumer, header, payload, atMs, leased } = write;
    writes.push(codeAccept, seq, id, key, conversation, consumer, header, payload.length, atMs, leased);
    parts.push(payload);
  } else if (write.op === "ack") {
    writes.push(codeAck, write.seq, write.atMs);
  } else if (write.op === "send") {
    const { id, seq, key, conversation, idempotencyKey, response, state, atMs, dueAtMs } = write.send;
    writes.push(codeSend, id, seq, key, conversation, idempotencyKey, response.length, state, atMs, dueAtMs);
    parts.push(response);
  } else if (write.op === "mail") {
    const { cursor, key, conversation, response, atMs } = write;
    writes.push(codeMail, cursor, key, conversation, response.length, atMs);
    parts.push(response);
  } else writes.push(codeOther, write);
}

/** The writes of all commits of a group, in order; payloads are views on `bytes`. */
export function decodeGroup(writes: readonly unknown[], bytes: Uint8Array): JournalWrite[] {
  const decoded: JournalWrite[] = [];
  let at = 0;
  let offset = 0;
  // The other side is the same build: what encodeWrite put in comes out in the same order, so it is whatever is wanted.
  const next = (): never => writes[at++] as never;
  const nextBytes = (): Uint8Array => {
    const start = offset;
    offset += next() as number;
    return bytes.subarray(start, offset);
  };
  while (at < writes.length) {
    switch (next() as number) {
      case codeAccept:
        decoded.push({
          op: "accept",
          seq: next(),
          id: next(),
          key: next(),
          conversation: next(),
          consumer: next(),
          header: next(),
          payload: nextBytes(),
          atMs: next(),
          leased: next(),
        });
        break;
      case codeAck:
        decoded.push({ op: "ack", seq: next(), atMs: next() });
        break;
      case codeSend:
        decoded.push({
          op: "send",
          send: {
            id: next(),
            seq: next(),
            key: next(),
            conversation: next(),
            idempotencyKey: next(),
            response: nextBytes(),
            state: next(),
            atMs: next(),
            dueAtMs: next(),
          },
        });
        break;
      case codeMail:
        decoded.push({
          op: "mail",
          cursor: next(),
          key: next(),
          conversation: next(),
          response: nextBytes(),
          atMs: next(),
        });
        break;
      default:
        decoded.push(next());
    }
  }
  return decoded;
}

/** Which lists of rows come with bytes, and in which field. */
const packedFields: Partial<Record<JournalQuery, string>> = {
  payloads: "payload",
  openSends: "response",
  mail: "response",
};

type Row = Record<string, unknown>;

/** An answer with its rows' bytes joined in one buffer, which may be transferred; `bytes` null where it has no such rows. */
export function packAnswer<Name extends JournalQuery>(
  name: Name,
  answer: JournalQueries[Name]["answer"],
): { readonly answer: unknown; readonly bytes: Uint8Array<ArrayBuffer> | null } {
  const field = packedFields[name];
  if (field === undefined) return { answer, bytes: null };
  const rows = answer as unknown as readonly Row[];
  const parts = rows.map((row) => row[field] as Uint8Array);
  return { answer: rows.map((row, index) => ({ ...row, [field]: parts[index]?.length })), bytes: joinBytes(parts) };
}

/** The other way: the rows' bytes are views on `bytes`. */
export function unpackAnswer(name: JournalQuery, answer: unknown, bytes: Uint8Array | null): unknown {
  const field = packedFields[name];
  if (field === undefined || bytes === null) return answer;
  let offset = 0;
  return (answer as readonly Row[]).map((row) => {
    const start = offset;
    offset += row[field] as number;
    return { ...row, [field]: bytes.subarray(start, offset) };
  });
}

function joinBytes(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  let total = 0;
  for (const part of parts) total += part.length;
  // Not Buffer.concat: a buffer of Node's pool cannot be transferred.
  const joined = new Uint8Array(total);
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}
