/** An end for work of several steps, none of which knows how long the others took. */
import { after } from "./time.ts";

/** Aborted with `error` after `deadlineMs`, or with `signal` before. Disposed, it ends nothing any more by itself. */
export function deadline(
  deadlineMs: number,
  { error, signal }: { readonly error: Error; readonly signal?: AbortSignal },
): Disposable & { readonly signal: AbortSignal } {
  const late = new AbortController();
  const timer = after(deadlineMs, () => late.abort(error));
  return {
    signal: signal === undefined ? late.signal : AbortSignal.any([signal, late.signal]),
    [Symbol.dispose]: () => timer[Symbol.dispose](),
  };
}
