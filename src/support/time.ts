/**
 * The only file with timers. Built on the globals, since mocked timers do not reach `node:timers/promises`.
 * Every wait takes a signal and leaves nothing behind once it is settled.
 */

/** Resolves after `delayMs`; rejects with the signal's reason when it is aborted first. Keeps the process alive. */
export function sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
  // Not thrown: whoever catches what the promise rejects with would not catch that.
  if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(() => {
    signal?.removeEventListener("abort", onAbort);
    resolve();
  }, delayMs);
  function onAbort(): void {
    clearTimeout(timer);
    reject(signal?.reason as Error);
  }
  signal?.addEventListener("abort", onAbort, { once: true });
  return promise;
}

/**
 * Milliseconds since the epoch as they were when this thread began, and steadily on from there: for when something is due
 * and how long it took. The wall clock may be put back by an hour, and what was due in a second must not wait for it.
 */
export function steadyNow(): number {
  return Math.trunc(performance.timeOrigin + performance.now());
}

/** A deadline passed. */
export class TimeoutError extends Error {
  override readonly name = "TimeoutError";
}

/**
 * `promise`, or a {@link TimeoutError} naming `what` after `deadlineMs`. The promise itself goes on: hand it a signal too.
 * A late rejection is swallowed, because whoever waited has already been told.
 */
export function withDeadline<T>(promise: Promise<T>, deadlineMs: number, what: string): Promise<T> {
  // Not Promise.race(): this is done for every message, and a race makes three times as many promises.
  const bounded = Promise.withResolvers<T>();
  const timer = setTimeout(
    () => bounded.reject(new TimeoutError(`${what} did not finish within ${deadlineMs} ms`)),
    deadlineMs,
  );
  const settle =
    <Value>(settleWith: (value: Value) => void) =>
    (value: Value): void => {
      clearTimeout(timer);
      settleWith(value);
    };
  promise.then(settle(bounded.resolve), settle(bounded.reject));
  return bounded.promise;
}

/** Calls `run` every `periodMs` until disposed; never keeps the process alive. An error is given to `onError` and the loop goes on. */
export function every(periodMs: number, run: () => void, onError: (reason: unknown) => void): Disposable {
  const timer = setInterval(() => {
    try {
      run();
    } catch (reason) {
      onError(reason);
    }
  }, periodMs);
  timer.unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** Calls `run` once after `delayMs` unless disposed before; never keeps the process alive. */
export function after(delayMs: number, run: () => void): Disposable {
  const timer = setTimeout(run, Math.min(delayMs, 2_147_483_647));
  timer.unref();
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}

/** `promise`, or the signal's reason when it is aborted first. The promise itself goes on. */
export async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(signal.reason as Error);
  signal.addEventListener("abort", onAbort, { once: true });
  promise.catch(() => {});
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
