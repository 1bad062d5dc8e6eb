/** What everything else stands on: the state directory with its lock and keys, the journal in it, and small durable state. */
import { join } from "node:path";
import { ensureAdminToken } from "../admin/token.ts";
import type { Config } from "../contract/config.ts";
import type { Journal } from "../contract/journal.ts";
import { HostPids } from "../host/host-pids.ts";
import { DurableStore } from "../journal/durable-store.ts";
import { ensureInstallKey } from "../journal/install-key.ts";
import { startJournal } from "../journal/journal.ts";
import { acquireStateLock } from "../journal/state-lock.ts";
import type { Logger } from "../support/logger.ts";

/** An opened state directory. */
export type Foundation = {
  readonly journal: Journal;
  readonly store: DurableStore;
  readonly installKey: Uint8Array;
  readonly adminToken: string;
  readonly hostPids: HostPids;
};

/**
 * Takes the state directory, ends what an earlier coordinator left running, and opens the journal. What it opens is
 * put on `stack`, which the caller disposes.
 * @throws {GatewayError} `conflict` naming the holder when another gateway holds it, `journal_unavailable`.
 */
export async function layFoundation(
  config: Config,
  parts: { readonly stack: AsyncDisposableStack; readonly journalEntryUrl: string; readonly logger: Logger },
): Promise<Foundation> {
  const { stack, logger } = parts;
  const { stateDir } = config.gateway;
  stack.use(await acquireStateLock(stateDir));
  const hostPids = new HostPids(stateDir);
  const leftovers = await hostPids.killLeftovers();
  if (leftovers.length > 0) logger.warn("leftover-hosts-killed", { pids: leftovers });
  const journal = stack.use(
    await startJournal({
      path: config.journal.durability === "memory" ? null : join(stateDir, "journal.db"),
      durability: config.journal.durability,
      groupCommitMs: config.journal.groupCommitMs,
      entryUrl: parts.journalEntryUrl,
      logger,
    }),
  );
  const store = new DurableStore(journal, logger);
  stack.defer(() => store.flush());
  return {
    journal,
    store,
    installKey: await ensureInstallKey(stateDir),
    adminToken: await ensureAdminToken(stateDir),
    hostPids,
  };
}
