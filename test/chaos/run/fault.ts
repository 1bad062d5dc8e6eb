/** Everything that a run can have go wrong. */
import type { FaultPlace, PlatformFault } from "../../conformance/emulated-platform.ts";
import type { FaultCommand } from "../../support/fault-adapter.ts";

/** A process of the gateway: the coordinator, the host that most adapters live in, or the handlers' host. */
export type Victim = "coordinator" | "adapters" | "handlers";

/** One fault. `platform` is a runtime key; `forMs` is how long it lasts. */
export type Fault =
  /** The service meets a request or a connection badly. */
  | {
      readonly kind: "service";
      readonly platform: string;
      readonly place: FaultPlace;
      readonly fault: PlatformFault;
      readonly forMs: number;
    }
  /** The service refuses everybody and cuts whoever is there. */
  | { readonly kind: "outage"; readonly platform: string; readonly forMs: number }
  | { readonly kind: "cut"; readonly platform: string }
  /** Half-open sockets: nothing comes through any more. */
  | { readonly kind: "freeze"; readonly platform: string }
  | { readonly kind: "nonsense"; readonly platform: string }
  /** Something that was acknowledged long ago is delivered again. */
  | { readonly kind: "repeat"; readonly platform: string }
  | { readonly kind: "kill"; readonly victim: Victim }
  | { readonly kind: "stop"; readonly victim: Victim; readonly forMs: number }
  /** An orderly end and a new start. */
  | { readonly kind: "restart" }
  | { readonly kind: "journal-thread" }
  | { readonly kind: "full-disk"; readonly forMs: number }
  /** Every commit takes its time; at the end of it the coordinator may be killed, with much on its way to the disk. */
  | { readonly kind: "slow-disk"; readonly forMs: number; readonly endsInKill: boolean }
  | { readonly kind: "clock"; readonly jumpSeconds: number }
  | { readonly kind: "save"; readonly what: SavedConfig; readonly platform: string; readonly forMs: number }
  /** A secret is another for a while: a wrong one, where the platform checks it. */
  | { readonly kind: "rotate-secret"; readonly platform: string; readonly forMs: number }
  | { readonly kind: "reload-storm"; readonly platform: string; readonly saves: number }
  /** The adapter that is no platform's does it to itself. */
  | { readonly kind: "adapter"; readonly command: FaultCommand };

/**
 * What is saved for a while: settings that replace an adapter, a policy, an error in one block, no TOML, the fault adapter
 * left out.
 */
export type SavedConfig = "settings" | "policy" | "error" | "nonsense" | "removal";

/** A fault and when it happens, milliseconds from the start of the run. */
export type PlannedFault = Fault & { readonly atMs: number };

/** In words, for the report. */
export function describeFault(fault: Fault): string {
  switch (fault.kind) {
    case "service":
      return `${fault.platform}: ${fault.fault.kind} at ${fault.place} for ${fault.forMs} ms`;
    case "outage":
      return `${fault.platform}: outage for ${fault.forMs} ms`;
    case "cut":
      return `${fault.platform}: every connection cut`;
    case "freeze":
      return `${fault.platform}: every connection half-open`;
    case "nonsense":
      return `${fault.platform}: bytes that no honest platform sends`;
    case "repeat":
      return `${fault.platform}: an old message once more`;
    case "kill":
      return `SIGKILL: ${fault.victim}`;
    case "stop":
      return `SIGSTOP for ${fault.forMs} ms: ${fault.victim}`;
    case "restart":
      return "SIGTERM and a new start";
    case "journal-thread":
      return "the journal's thread terminated";
    case "full-disk":
      return `no room on disk for ${fault.forMs} ms`;
    case "slow-disk":
      return `slow commits for ${fault.forMs} ms${fault.endsInKill ? ", then SIGKILL: coordinator" : ""}`;
    case "clock":
      return `wall clock ${fault.jumpSeconds > 0 ? "+" : ""}${fault.jumpSeconds} s`;
    case "save":
      return `${fault.platform}: saved for ${fault.forMs} ms: ${fault.what}`;
    case "rotate-secret":
      return `${fault.platform}: another secret for ${fault.forMs} ms`;
    case "reload-storm":
      return `${fault.platform}: ${fault.saves} saves and as many reloads at once`;
    case "adapter":
      return `fault adapter: ${JSON.stringify(fault.command)}`;
  }
}
