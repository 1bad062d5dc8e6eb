/** What a run has done to each platform that excuses a send which was not confirmed. Pure. */
import type { FaultCommand } from "../../support/fault-adapter.ts";
import type { Fault } from "./fault.ts";

/** Of one platform. */
export type Excuses = {
  /** Moments at which whatever was on its way there could be cut off. */
  readonly cuts: number;
  /** Sends that its service itself met with a fault. */
  readonly sendFaultsMet: number;
  /** Its service refused our credentials for good for a while. */
  readonly isRefused: boolean;
};

/** A thread of the fault adapter's that ends alone: nobody else's sends are cut. */
const alone: ReadonlySet<FaultCommand["do"]> = new Set(["throw", "reject", "exit", "spin", "close", "flood", "emit"]);

/** So long is a host silent before it is taken for dead. */
const hostSilentMs = 5_000;

/** What `faults` excuse at `platform`, a runtime key whose service met `sendFaultsMet` sends with a fault. */
export function excusesOf(faults: readonly Fault[], platform: string, sendFaultsMet: number): Excuses {
  return {
    cuts: faults.reduce((sum, fault) => sum + cutsOf(fault, platform), 0),
    sendFaultsMet,
    isRefused: faults.some((fault) => refusesCredentials(fault, platform)),
  };
}

function refusesCredentials(fault: Fault, platform: string): boolean {
  if (!("platform" in fault) || fault.platform !== platform) return false;
  return fault.kind === "rotate-secret" || (fault.kind === "service" && fault.fault.kind === "bad_credentials");
}

function cutsOf(fault: Fault, platform: string): number {
  if ("platform" in fault && fault.platform !== platform) return 0;
  switch (fault.kind) {
    case "service":
      // Of sends, the service counts those that it met.
      if (fault.place === "send") return 0;
      return 1 + (fault.place === "receive" && fault.fault.kind === "drop" ? fault.fault.times : 0);
    case "freeze":
      // The next send waits in vain as well, until the silence is noticed.
      return 2;
    case "outage":
    case "cut":
    case "nonsense":
    case "restart":
      return 1;
    case "kill":
      return fault.victim === "handlers" ? 0 : 1;
    case "stop":
      return fault.victim === "adapters" && fault.forMs > hostSilentMs ? 1 : 0;
    case "slow-disk":
      return fault.endsInKill ? 1 : 0;
    case "adapter":
      return alone.has(fault.command.do) ? 0 : 1;
    case "save":
      // The adapter is replaced, and again when the default is back.
      return fault.what === "settings" ? 2 : 0;
    case "rotate-secret":
      return 2;
    case "reload-storm":
      return fault.saves + 1;
    case "repeat":
    case "journal-thread":
    case "full-disk":
    case "clock":
      return 0;
  }
}
