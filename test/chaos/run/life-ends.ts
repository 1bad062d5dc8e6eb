/** How lives of the coordinator ended, and which of these ends must not be. Pure. */

/** An end that was no fault of the schedule's. `end`: the exit code, or the signal's name. */
export type LifeEnd = {
  readonly kind: "unasked";
  readonly end: number | string;
  readonly lastWords: readonly string[];
};

/** In words; none: every life ended as it was told to. */
export function wrongEnds(ends: readonly LifeEnd[]): readonly string[] {
  return ends.map(({ end, lastWords }) => `the coordinator ended by itself with ${end}: ${JSON.stringify(lastWords)}`);
}
