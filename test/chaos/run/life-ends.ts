/** How lives of the coordinator ended, and which of these ends must not be. Pure. */

/** `end`: the exit code, or the signal's name. */
export type LifeEnd =
  /** No fault of the schedule's. */
  | { readonly kind: "unasked"; readonly end: number | string; readonly lastWords: readonly string[] }
  /** Asked to by SIGTERM, once it was ready. */
  | { readonly kind: "orderly"; readonly end: number | string; readonly tookMs: number };

/** Its own 15 s and what a busy machine takes: by then a process manager kills it. Milliseconds. */
export const orderlyDeadlineMs = 20_000;

/** In words; none: every life ended as it was told to. */
export function wrongEnds(ends: readonly LifeEnd[]): readonly string[] {
  return ends.flatMap((each) => {
    if (each.kind === "unasked")
      return [`the coordinator ended by itself with ${each.end}: ${JSON.stringify(each.lastWords)}`];
    const isRight = each.end === 0 && each.tookMs <= orderlyDeadlineMs;
    return isRight ? [] : [`an orderly end was ${each.end} after ${each.tookMs} ms`];
  });
}
