/** Waits until a run is as it should be, and says what is not. */
import type { GatewayStatus } from "../../../src/contract/status.ts";
import { sleep } from "../../../src/support/time.ts";
import { countOpenSends } from "../../support/journal-copy.ts";
import type { ChaosGateway } from "./chaos-gateway.ts";
import type { Traffic } from "./traffic.ts";

const lookPeriodMs = 250;

/** What came of a wait. `missing`: in words; none: all is as it should be, after `afterMs`. */
export type Waited = {
  readonly missing: readonly string[];
  readonly afterMs: number;
  readonly status: GatewayStatus | null;
};

/** Looks until nothing is missing, or until the deadline. */
export async function waitFor(
  gateway: ChaosGateway,
  look: (status: GatewayStatus) => readonly string[],
  deadlineMs: number,
): Promise<Waited> {
  const beganAtMs = performance.now();
  const over = AbortSignal.timeout(deadlineMs);
  let missing: readonly string[] = ["no status could be had"];
  let status: GatewayStatus | null = null;
  while (!over.aborted) {
    try {
      status = await gateway.status(over);
      missing = look(status);
      if (missing.length === 0) break;
      await sleep(lookPeriodMs, over);
    } catch {
      // The time is over.
    }
  }
  return { missing, afterMs: Math.round(performance.now() - beganAtMs), status };
}

/** What is not delivered yet. */
export function undelivered({ adapters, consumers }: GatewayStatus): string[] {
  return [
    ...adapters.flatMap(({ key, queue }) =>
      queue.pending + queue.leased > 0 ? [`${key} has ${queue.pending + queue.leased} messages undelivered`] : [],
    ),
    ...consumers.flatMap(({ name, inFlight }) => (inFlight > 0 ? [`${name} has ${inFlight} in flight`] : [])),
  ];
}

/** What is promised and not heard yet. */
export function unheard(gateway: ChaosGateway, traffic: Traffic): string[] {
  const heard = new Set(gateway.heard.map(({ text }) => text));
  return traffic.said
    .filter(({ isPromised, text }) => isPromised && !heard.has(text))
    .map(({ text }) => `${text} is not heard`);
}

/** What is not sent yet. */
export function unsent(gateway: ChaosGateway): string[] {
  try {
    const open = countOpenSends(gateway.journalPath);
    return open > 0 ? [`${open} sends are not over`] : [];
  } catch (reason) {
    return [`the journal is being written: ${String(reason)}`];
  }
}
