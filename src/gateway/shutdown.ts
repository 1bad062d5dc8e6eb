/** The end: what is under way finishes as far as the time allows, the rest stays on disk. */
import { withDeadline } from "../support/time.ts";

/** Shares of `shutdown_timeout_ms` (15 s) by which each step is over. */
const share = { handlers: 8 / 15, outbox: 11 / 15, adapters: 13 / 15, hosts: 14 / 15 } as const;

/** The stages in the order they end. */
export type ShutdownParts = {
  readonly reconciler: AsyncDisposable;
  readonly flow: { stopIntake(): void; drain(deadlineMs: number): Promise<number> };
  readonly outbox: { drain(deadlineMs: number): Promise<void> };
  readonly adapters: { shutdown(deadlineMs: number): Promise<readonly string[]> };
  readonly hosts: { killAfter(delayMs: number): void };
  /** Everything else, disposed in reverse. */
  readonly owned: AsyncDisposable | null;
};

/** Never rejects for a step that is late: the next one begins, and what was late ends with the hosts. */
export async function shutDown(parts: ShutdownParts, timeoutMs: number): Promise<void> {
  const startedMs = performance.now();
  const left = (part: number): number => Math.max(50, timeoutMs * part - (performance.now() - startedMs));
  // Whatever is late before them. In order they end with what is owned, and give what was spawned in them a moment.
  parts.hosts.killAfter(timeoutMs * share.hosts);
  parts.flow.stopIntake();
  await withDeadline(
    Promise.resolve(parts.reconciler[Symbol.asyncDispose]()),
    left(share.handlers),
    "The reconcile under way",
  ).catch(() => {
    // It only tells the fleet what to be, and the fleet is ending.
  });
  await parts.flow.drain(left(share.handlers));
  await parts.outbox.drain(left(share.outbox));
  await parts.adapters.shutdown(left(share.adapters));
  await parts.owned?.[Symbol.asyncDispose]();
}
