/** What supervision knows of one adapter, as `GET /v1/status` shows it. */
import type { Hosts } from "../contract/host.ts";
import type { AdapterSpec } from "../contract/spec.ts";
import type { AdapterStatus, Condition, ConditionCode } from "../contract/status.ts";
import type { Convergence } from "./convergence.ts";
import type { GenerationRunner } from "./generation-runner.ts";
import type { Quarantine } from "./host-quarantine.ts";
import type { Lifecycle } from "./lifecycle-event.ts";
import { hasThread } from "./lifecycle.ts";
import { memoryLimitBytes } from "./memory.ts";
import type { Timeline } from "./timeline.ts";

/** An adapter's status without what only the flow of messages knows. */
export type AdapterReport = Omit<AdapterStatus, "messages" | "queue">;

/** Everything a report is made of. */
export type ReportSources = {
  readonly key: string;
  readonly platform: string;
  /** `null`: there never was a valid one, or it is being removed. */
  readonly spec: AdapterSpec | null;
  readonly invalid: { readonly message: string; readonly since: string } | null;
  readonly lifecycle: Lifecycle;
  readonly attempt: number;
  readonly convergence: Convergence;
  readonly quarantine: Quarantine | null;
  readonly timeline: Timeline;
  readonly runner: GenerationRunner;
  readonly hosts: Hosts;
};

/** One adapter's report, taken now. */
export function reportAdapter(sources: ReportSources): AdapterReport {
  const { lifecycle, runner, convergence } = sources;
  const spec = sources.spec ?? runner.life?.spec ?? null;
  const host = hostOf(sources);
  const measured = runner.observer.measurements.report();
  return {
    key: sources.key,
    platform: spec?.platform ?? sources.platform,
    owner: spec?.owner ?? "config",
    ...shownState(sources),
    since: iso(lifecycle.sinceMs),
    attempt: sources.attempt,
    nextRetryAt: isoOrNull(lifecycle.nextRetryAtMs),
    generation: runner.life?.generation ?? null,
    desiredGeneration: convergence.desiredGeneration,
    observedGeneration: convergence.observedGeneration,
    deliveryClass: spec?.deliveryClass ?? "best_effort",
    isolation: spec?.supervisor.isolation ?? "auto",
    host,
    threadId: measured.threadId,
    restarts: sources.timeline.restarts,
    restartsByReason: { ...sources.timeline.restartsByReason },
    cpu: measured.cpu,
    memory: {
      ...measured.memory,
      limitBytes: memoryLimitBytes(spec?.supervisor.memoryLimitMb ?? 0),
      rssBytes: host?.kind === "own" ? host.rssBytes : null,
    },
    eventLoop: measured.eventLoop,
    clocks: {
      frame: isoOrNull(runner.observer.frameAtMs),
      event: isoOrNull(runner.observer.eventAtMs),
      probe: isoOrNull(runner.observer.prober.lastProofAtMs),
    },
    conditions: conditionsOf(sources),
  };
}

/** `invalid` is what an adapter with errors shows while no generation of its last good spec runs; underneath that one is still tried. */
function shownState({
  lifecycle,
  invalid,
}: ReportSources): Pick<AdapterStatus, "state" | "reason" | "message" | "userAction"> {
  const { state, reason, message, userAction } = lifecycle;
  if (invalid !== null && !hasThread(lifecycle) && state !== "paused")
    return { state: "invalid", reason: "spec_invalid", message: invalid.message, userAction: "Correct the config" };
  return { state, reason, message, userAction };
}

function hostOf({ runner, hosts }: ReportSources): AdapterStatus["host"] {
  const host = runner.life?.host ?? null;
  return host === null ? null : { pid: host.pid, kind: host.kind, rssBytes: hosts.rssBytes(host.pid) };
}

function conditionsOf({ key, invalid, quarantine, runner }: ReportSources): readonly Condition[] {
  const conditions: Condition[] = [];
  const add = (code: ConditionCode, message: string, since: string): void => {
    conditions.push({ code, key, message, since });
  };
  if (invalid !== null) add("spec_invalid", invalid.message, invalid.since);
  if (quarantine !== null) add("host_quarantine", quarantine.reason, iso(quarantine.sinceMs));
  for (const [life, sinceMs] of runner.leaked)
    add("thread_leaked", `The thread of generation ${life.generation} could not be ended`, iso(sinceMs));
  return conditions;
}

function iso(atMs: number): string {
  return new Date(atMs).toISOString();
}

function isoOrNull(atMs: number | null): string | null {
  return atMs === null ? null : iso(atMs);
}
