/** Commits on their way together: one transaction. */
import { GatewayError } from "../contract/errors.ts";
import type { WriteResult } from "../contract/journal.ts";
import { encodeGroup, type FromJournalThread } from "../contract/journal-wire.ts";
import type { WaitingCommit } from "./commit-queue.ts";

/** The thread's word on a group. */
export type DoneMessage = Extract<FromJournalThread, { readonly kind: "done" }>;

const fresh: WriteResult = Object.freeze({ duplicate: false, existingId: null });

/** A group, until it is settled or rejected. */
export class CommitGroup {
  readonly number: number;
  readonly commits: readonly WaitingCommit[];
  /** How many threads died with it. */
  deaths = 0;
  /** How long it has been on its way to the present thread, in ticks. */
  ticks = 0;

  constructor(number: number, commits: readonly WaitingCommit[]) {
    this.number = number;
    this.commits = commits;
  }

  /** The group for the wire; anew for each thread, since its memory is given away. */
  encode(): ReturnType<typeof encodeGroup> {
    return encodeGroup(this.commits.map((commit) => commit.writes));
  }

  /** Tells each commit what became of its writes. */
  settle(done: DoneMessage): void {
    const failures = new Map(done.failures.map((failure) => [failure.commit, failure.error]));
    const existingIds = new Map(done.duplicates.map((duplicate) => [duplicate.index, duplicate.existingId]));
    let start = 0;
    for (const [index, { writes, resolve, reject }] of this.commits.entries()) {
      const failure = failures.get(index);
      if (failure === undefined) resolve(resultsOf(writes.length, start, existingIds));
      else reject(GatewayError.fromReport(failure));
      start += writes.length;
    }
  }

  /** None of its writes happened. */
  reject(error: GatewayError): void {
    for (const commit of this.commits) commit.reject(error);
  }
}

/** Nearly all writes are no duplicates and share one result. */
function resultsOf(
  length: number,
  start: number,
  existingIds: ReadonlyMap<number, string | null>,
): readonly WriteResult[] {
  const results = Array.from({ length }, () => fresh);
  if (existingIds.size === 0) return results;
  return results.map((result, index) => {
    const existingId = existingIds.get(start + index);
    return existingId === undefined ? result : { duplicate: true, existingId };
  });
}
