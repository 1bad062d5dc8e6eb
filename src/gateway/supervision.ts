/** The adapters' supervisors over the hosts and the durable state. */
import { createHmac } from "node:crypto";
import { GatewayError } from "../contract/errors.ts";
import type { Frame } from "../contract/frame.ts";
import type { HistoryEntry } from "../contract/control.ts";
import type { Hosts } from "../contract/host.ts";
import type { Logger } from "../support/logger.ts";
import { ConnectBudget } from "../supervise/connect-budget.ts";
import { AdapterFleet } from "../supervise/fleet.ts";
import { Generations } from "../supervise/generations.ts";
import type { SupervisorContext } from "../supervise/supervisor-context.ts";
import type { Foundation } from "./foundation.ts";

const scopes = { generation: "generation", budget: "budget" } as const;
/** After a journal was set aside its numbers are gone: seconds since 1970 are above any that were ever used. */
const freshStart = (): number => Math.floor(Date.now() / 1000);

/** What supervising adapters takes. */
export type Supervision = {
  readonly adapters: AdapterFleet;
  readonly generations: Generations;
  /** Rejects with `rate_limited`. */
  acquireBudget(key: string, kind: string): Promise<void>;
  /** A fingerprint of what the key logs in with: two keys with one credential have the same. */
  credentialOf(key: string): string;
};

/** @throws {GatewayError} `journal_unavailable`. */
export async function startSupervision(parts: {
  readonly foundation: Foundation;
  readonly hosts: Hosts;
  readonly logger: Logger;
  readonly redact: (text: string) => string;
  readonly onFrame: (key: string, generation: number, frame: Frame) => void;
  readonly onChange: (key: string, entry: HistoryEntry) => void;
  readonly onObserved: (key: string, observedGeneration: number, latest: HistoryEntry) => void;
  readonly onMissed: SupervisorContext["onMissed"];
  readonly commands: SupervisorContext["commands"];
}): Promise<Supervision> {
  const { journal, store, installKey } = parts.foundation;
  const put = async (scope: string, key: string, value: string): Promise<void> => {
    await journal.commit([{ op: "put", scope, key, value }]);
  };
  const generations = await Generations.start({
    logger: parts.logger,
    store: {
      async load() {
        const stored = await journal.query("scope", { scope: scopes.generation });
        return Number(stored["last"] ?? (journal.opened.setAsidePath === null ? 0 : freshStart()));
      },
      reserve: (upTo) => put(scopes.generation, "last", String(upTo)),
    },
  });
  const budget = await ConnectBudget.start({
    load: () => journal.query("scope", { scope: scopes.budget }),
    save: (key, value) => put(scopes.budget, key, value),
  });
  const adapters = await AdapterFleet.start({ ...parts, store, generations, rivals: (key) => rivalsOf(key) });
  // Of the credential, not of the key: two adapters with one token share its budget.
  const credentialOf = (key: string): string => {
    const secrets = adapters.spec(key)?.secrets ?? [];
    return createHmac("sha256", installKey).update(JSON.stringify(secrets)).digest("base64url");
  };
  const rivalsOf = (key: string): readonly string[] => {
    const spec = adapters.spec(key);
    if (spec === null || spec.secrets.length === 0) return [];
    const credential = credentialOf(key);
    return [...adapters.observed()]
      .filter(([other, observed]) => other !== key && observed.spec?.platform === spec.platform)
      .map(([other]) => other)
      .filter((other) => adapters.generation(other) !== null && credentialOf(other) === credential);
  };
  return {
    adapters,
    generations,
    credentialOf,
    async acquireBudget(key, kind) {
      const verdict = await budget.acquire(credentialOf(key), kind);
      if (verdict.kind === "refused") throw GatewayError.from(verdict.error);
    },
  };
}
