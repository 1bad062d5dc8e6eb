/** How one adapter stands to the newest accepted config. Pure. */
import type { AdapterSpec } from "../contract/spec.ts";
import type { SettledOutcome } from "./convergence.ts";
import type { Lifecycle } from "./lifecycle-event.ts";

/** What the verdict needs. */
export type StandingFacts = {
  readonly lifecycle: Lifecycle;
  /** `null`: nothing is to run. */
  readonly spec: AdapterSpec | null;
  readonly isInvalid: boolean;
  /** What the live generation runs with; `null`: none lives. */
  readonly live: { readonly connection: string; readonly policy: string } | null;
};

/** `done`: it obeys. `failed`: a try came to nothing, though it may go on trying. `pending`: on its way. */
export function standingOf({ lifecycle, spec, isInvalid, live }: StandingFacts): SettledOutcome | "pending" {
  if (isInvalid) return "failed";
  switch (lifecycle.state) {
    case "running":
    case "reconnecting":
      return live?.connection === spec?.fingerprints.connection && live?.policy === spec?.fingerprints.policy
        ? "done"
        : "pending";
    case "paused":
      return "done";
    case "stopped":
      return spec === null ? "done" : "pending";
    case "starting":
    case "stopping":
    case "unkillable":
      return "pending";
    case "backing_off":
    case "needs_attention":
      return "failed";
    case "invalid":
      // Its errors are gone, so a spec is about to come.
      return "pending";
  }
}
