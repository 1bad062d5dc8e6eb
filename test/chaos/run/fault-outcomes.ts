/** What became of the planned faults, and whether enough of them happened for the run to mean something. Pure. */
import { describeFault, type PlannedFault } from "./fault.ts";

/** What happened to one planned fault. `trouble`: why it could not be done. */
export type FaultOutcome = { readonly fault: PlannedFault; readonly trouble: string | null };

/** One of so many may meet a victim that another fault has just killed. */
const undonePeriod = 10;

/** In words; none: it was the run that was planned. */
export function undoneFaults(outcomes: readonly FaultOutcome[]): readonly string[] {
  const undone = outcomes.flatMap(({ fault, trouble }) =>
    trouble === null ? [] : [`${describeFault(fault)} (${trouble})`],
  );
  const most = Math.floor(outcomes.length / undonePeriod);
  return undone.length > most
    ? [`${undone.length} of ${outcomes.length} faults could not be done, ${most} are allowed: ${undone.join("; ")}`]
    : [];
}
