/** The end of every wait of the kit: on the machine's own clock, whatever a case has put in its place. */
import { AsyncLocalStorage } from "node:async_hooks";

/** Taken before any case mocks the timers. */
const { setTimeout: realSetTimeout, clearTimeout: realClearTimeout } = globalThis;

/** Far beyond what any step takes on a busy machine, milliseconds. */
const waitDeadlineMs = 15_000;

/** Another deadline for what runs in it: `patience.run(1_000, …)`, for who expects a case to fail. */
export const patience = new AsyncLocalStorage<number>();

/**
 * `promise`, or an error naming `what` after 15 s (see {@link patience}). `seen` says what there was instead.
 * @throws {Error} after the deadline.
 */
export async function within<T>(promise: Promise<T>, what: string, seen: () => unknown = () => null): Promise<T> {
  const deadlineMs = patience.getStore() ?? waitDeadlineMs;
  const late = Promise.withResolvers<never>();
  const timer = realSetTimeout(() => {
    const found = seen();
    const suffix = found === null ? "" : `; seen: ${JSON.stringify(found).slice(0, 4_000)}`;
    late.reject(new Error(`Never seen in ${deadlineMs} ms: ${what}${suffix}`));
  }, deadlineMs);
  promise.catch(() => {});
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    realClearTimeout(timer);
  }
}

/** The machine's own steady clock, milliseconds. */
export const realNow: () => number = performance.now.bind(performance);

/** Lets `delayMs` of the machine's own time pass. Not for waiting for something: for making a mocked clock follow. */
export function realDelay(delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    realSetTimeout(resolve, delayMs);
  });
}

/** Lets the event loop turn `count` times: what is on its way over loopback arrives. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
