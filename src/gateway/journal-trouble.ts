/** The journal's own trouble as conditions of the gateway. */
import type { Journal } from "../contract/journal.ts";
import type { ConditionBoard } from "./condition-board.ts";

/** Keeps `journal_unavailable` and `journal_corrupt` as the journal says, from now on. */
export function showJournalTrouble(
  journal: Pick<Journal, "opened" | "onTrouble">,
  conditions: Pick<ConditionBoard, "set">,
): void {
  const noteSetAside = (): void => {
    const { setAsidePath } = journal.opened;
    if (setAsidePath !== null)
      conditions.set("journal_corrupt", `The journal could not be read and was set aside as ${setAsidePath}`);
  };
  noteSetAside();
  journal.onTrouble((trouble) => {
    conditions.set("journal_unavailable", trouble);
    // A file may also be found damaged while it is in use.
    noteSetAside();
  });
}

/** Keeps `replay_window_short`. */
export function showReplayWindow(isShort: boolean, conditions: Pick<ConditionBoard, "set">): void {
  conditions.set("replay_window_short", isShort ? "Handled messages are pruned early, to stay below max_bytes" : null);
}
