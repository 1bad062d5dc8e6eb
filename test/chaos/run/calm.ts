/** When a run holds still to be looked at, and when nothing may end what is compared. Pure. */

/** Between two looks: what happens in between is long enough for a leak to show. */
const lookPeriodMs = 40_000;
/** What a look may take: everything has to come to rest first. */
export const calmMs = 10_000;
/** Of so many stretches between looks one is steady: the coordinator and the shared host live through it. */
const steadyPeriod = 3;

/** The times of the looks within a run, from its start. Its end is one more. */
export function lookTimes(durationMs: number): readonly number[] {
  const count = Math.max(0, Math.ceil(durationMs / lookPeriodMs) - 1);
  return Array.from({ length: count }, (_, index) => durationMs - (count - index) * lookPeriodMs);
}

/** Whether something that goes on from `fromMs` to `untilMs` would disturb a look. */
export function disturbsLook(fromMs: number, untilMs: number, durationMs: number): boolean {
  return lookTimes(durationMs).some((atMs) => untilMs > atMs && fromMs < atMs + calmMs);
}

/** Whether `atMs` lies in a steady stretch; the last one is. */
export function isSteady(atMs: number, durationMs: number): boolean {
  return Math.floor((durationMs - atMs) / lookPeriodMs) % steadyPeriod === 0;
}
