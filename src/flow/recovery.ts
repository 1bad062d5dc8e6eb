/** What the journal holds at the start comes back into its lanes, and what waits for a consumer that is gone gets another. */
import type { Journal, JournalWrite } from "../contract/journal.ts";
import type { RoutingHeader } from "../contract/message.ts";
import { entryOf, type Entry } from "./entry.ts";
import type { Lane } from "./lane.ts";
import type { Lanes } from "./lanes.ts";
import type { Ledger } from "./ledger.ts";
import type { OutcomeWriter } from "./outcome-writer.ts";
import type { Route } from "./router.ts";
import { parseStoredHeader } from "./stored-header.ts";

const pageRows = 1_000;
const headersPerQuery = 500;

/**
 * Fills the lanes with all that is pending. What was under lease when the gateway ended is `redelivered`, its attempt
 * unchanged. Returns how many there are.
 * @throws {GatewayError} `journal_unavailable`.
 */
export async function recover(journal: Pick<Journal, "query">, lanes: Lanes, ledger: Ledger): Promise<number> {
  let afterSeq = 0;
  let count = 0;
  for (;;) {
    const rows = await journal.query("pending", { afterSeq, limit: pageRows });
    for (const row of rows) {
      const entry = entryOf(row);
      ledger.addPending(entry);
      lanes.append(entry);
      afterSeq = row.seq;
    }
    count += rows.length;
    if (rows.length < pageRows) return count;
  }
}

/** What {@link Rerouter} needs. */
export type RerouterOptions = {
  readonly journal: Pick<Journal, "query">;
  readonly writer: OutcomeWriter;
  readonly ledger: Ledger;
  /** The present router and its consumers. */
  readonly route: (header: RoutingHeader, key: string) => Route;
  readonly isConfigured: (consumer: string) => boolean;
  readonly now: () => number;
};

/** Routes waiting messages once more by their stored headers. */
export class Rerouter {
  readonly #options: RerouterOptions;

  constructor(options: RerouterOptions) {
    this.#options = options;
  }

  /**
   * Another consumer for all in these lanes whose own is not configured; where the router names none that is, it stays.
   * A head that bindings now leave to nobody is done, and its lane goes on.
   * @throws {GatewayError} `journal_unavailable`; nothing has changed then that would not be tried again.
   */
  async reroute(list: readonly Lane[], lanes: Lanes): Promise<void> {
    const orphans: { readonly entry: Entry; readonly lane: Lane }[] = [];
    for (const lane of list)
      for (const entry of lane.entries) if (!this.#options.isConfigured(entry.consumer)) orphans.push({ entry, lane });
    for (let from = 0; from < orphans.length; from += headersPerQuery) {
      const part = orphans.slice(from, from + headersPerQuery);
      const rows = await this.#options.journal.query("headers", { seqs: part.map(({ entry }) => entry.seq) });
      const headers = new Map(rows.map((row) => [row.seq, row.header]));
      const writes: JournalWrite[] = [];
      for (const { entry, lane } of part) {
        const header = parseStoredHeader(headers.get(entry.seq));
        if (header !== null) this.#apply(entry, lane, this.#options.route(header, entry.key), { lanes, writes });
      }
      // Failing, the messages are routed once more after a restart.
      if (writes.length > 0) this.#options.writer.add({ writes, written: () => {}, failed: () => {} });
    }
  }

  #apply(entry: Entry, lane: Lane, found: Route, to: { readonly lanes: Lanes; readonly writes: JournalWrite[] }): void {
    const { ledger, isConfigured, now } = this.#options;
    switch (found.kind) {
      case "deliver":
        if (!isConfigured(found.consumer)) return;
        ledger.movePending(entry, found.consumer);
        entry.consumer = found.consumer;
        to.writes.push({ op: "assign", seq: entry.seq, consumer: found.consumer });
        return;
      case "drop":
        // Only a head can leave its lane, and one at a time: the others' turn comes.
        if (lane.entries[0] !== entry || lane.state !== "rerouting") return;
        to.writes.push({ op: "ack", seq: entry.seq, atMs: Math.trunc(now()) });
        ledger.moveLeased(entry, 1);
        ledger.close(entry, false);
        ledger.count(entry.key, "dropped", 1);
        to.lanes.advance(lane);
        return;
    }
  }
}
