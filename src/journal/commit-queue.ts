/** Commits that wait for their group. */
import type { GatewayError } from "../contract/errors.ts";
import type { JournalWrite, WriteResult } from "../contract/journal.ts";

/** One caller's writes, and its promise. */
export type WaitingCommit = {
  readonly writes: readonly JournalWrite[];
  readonly bytes: number;
  readonly resolve: (results: readonly WriteResult[]) => void;
  readonly reject: (error: GatewayError) => void;
};

/** The most one group takes; a longer commit goes alone. */
export const groupLimits = { writes: 4_096, bytes: 8 * 2 ** 20 } as const;

/** What a write costs beside its payload: its other fields, its promise. */
const writeBytes = 256;

/** First in, first out. */
export class CommitQueue {
  #commits: WaitingCommit[] = [];
  /** Taken from the front without moving the rest. */
  #taken = 0;
  #bytes = 0;

  /** About what the waiting commits occupy. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How many wait. */
  get length(): number {
    return this.#commits.length - this.#taken;
  }

  push(commit: WaitingCommit): void {
    this.#commits.push(commit);
    this.#bytes += commit.bytes;
  }

  /** The next group: at least one commit, unless none waits. */
  takeGroup(): WaitingCommit[] {
    const group: WaitingCommit[] = [];
    let writes = 0;
    let bytes = 0;
    for (;;) {
      const next = this.#commits[this.#taken];
      if (next === undefined) break;
      writes += next.writes.length;
      bytes += next.bytes;
      if (group.length > 0 && (writes > groupLimits.writes || bytes > groupLimits.bytes)) break;
      group.push(next);
      this.#taken += 1;
      this.#bytes -= next.bytes;
    }
    if (this.#taken === this.#commits.length) {
      this.#commits = [];
      this.#taken = 0;
    }
    return group;
  }

  /** A group that could not be written waits again, before all others. */
  putBack(group: readonly WaitingCommit[]): void {
    this.#commits = [...group, ...this.#commits.slice(this.#taken)];
    this.#taken = 0;
    for (const commit of group) this.#bytes += commit.bytes;
  }

  /** Everything that waits fails with `error`. */
  rejectAll(error: GatewayError): void {
    const waiting = this.#commits.slice(this.#taken);
    this.#commits = [];
    this.#taken = 0;
    this.#bytes = 0;
    for (const commit of waiting) commit.reject(error);
  }
}

/** About what these writes occupy while they wait. */
export function sizeOf(writes: readonly JournalWrite[]): number {
  let bytes = writes.length * writeBytes;
  for (const write of writes) {
    if (write.op === "accept") bytes += write.payload.length;
    else if (write.op === "send") bytes += write.send.response.length;
    else if (write.op === "mail") bytes += write.response.length;
  }
  return bytes;
}
