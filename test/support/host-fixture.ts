/** A real pool of hosts with fault adapters in it, and a recorder of everything that is told of a generation. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseMeta } from "../../src/contract/frame.ts";
import type { GenerationHandle, GenerationListener, HostGone, Placement } from "../../src/contract/host.ts";
import type { ExitedMeta, ThreadSample } from "../../src/contract/protocol.ts";
import { HostPids } from "../../src/host/host-pids.ts";
import { HostPool } from "../../src/host/hosts.ts";
import { entries } from "../../workers/catalog.ts";
import type { FaultCommand, FaultSettings } from "./fault-adapter.ts";
import type { Logger } from "../../src/support/logger.ts";
import { silentLogger } from "./silent-logger.ts";

const faultAdapterUrl = new URL("./fault-adapter.ts", import.meta.url).href;

/** A policy that lets everything through. */
export const openPolicy = {
  guildFilter: null,
  workspaceFilter: null,
  chatFilter: null,
  channelFilter: {},
  dmAllowedUsers: ["*"],
  allowBotMessages: false,
  allowedSenders: [],
  triggerPrefix: "",
  maxBodyBytes: 1_048_576,
  maxAttachmentBytes: 1_048_576,
  commands: [],
} as const;

/** What was told of one generation, each as a promise a test can wait for. */
export type Recorder = {
  readonly listener: GenerationListener;
  readonly exited: Promise<ExitedMeta>;
  readonly drained: Promise<void>;
  readonly hostGone: Promise<HostGone>;
  readonly evacuate: Promise<void>;
  readonly metas: unknown[];
  /** How long it was told to wait for its host, milliseconds. */
  readonly hostDelaysMs: readonly number[];
  sample(matches: (sample: ThreadSample) => boolean): Promise<ThreadSample>;
  frame(matches: (meta: Record<string, unknown>) => boolean): Promise<Record<string, unknown>>;
};

/** A listener that remembers. */
export function recorder(): Recorder {
  const exited = Promise.withResolvers<ExitedMeta>();
  const drained = Promise.withResolvers<void>();
  const hostGone = Promise.withResolvers<HostGone>();
  const evacuate = Promise.withResolvers<void>();
  const metas: Record<string, unknown>[] = [];
  const hostDelaysMs: number[] = [];
  const frameWaiters: ((meta: Record<string, unknown>) => void)[] = [];
  const sampleWaiters: ((sample: ThreadSample) => void)[] = [];
  return {
    metas,
    hostDelaysMs,
    exited: exited.promise,
    drained: drained.promise,
    hostGone: hostGone.promise,
    evacuate: evacuate.promise,
    listener: {
      onHostDelayed: (delayMs) => void hostDelaysMs.push(delayMs),
      onFrame: (frame) => {
        const meta = parseMeta(frame) as Record<string, unknown>;
        metas.push(meta);
        for (const waiter of frameWaiters) waiter(meta);
      },
      onSample: (sample) => {
        for (const waiter of sampleWaiters) waiter(sample);
      },
      onDrained: () => drained.resolve(),
      onExited: (exit) => exited.resolve(exit),
      onHostGone: (gone) => hostGone.resolve(gone),
      onEvacuate: () => evacuate.resolve(),
    },
    sample: (matches) =>
      new Promise((resolve) => {
        sampleWaiters.push((sample) => {
          if (matches(sample)) resolve(sample);
        });
      }),
    frame: (matches) =>
      new Promise((resolve) => {
        const found = metas.find((meta) => matches(meta));
        if (found !== undefined) resolve(found);
        frameWaiters.push((meta) => {
          if (matches(meta)) resolve(meta);
        });
      }),
  };
}

/** What differs from the usual pool. */
export type HostFixtureOptions = {
  readonly mode?: "process" | "inline";
  readonly hostEntryUrl?: string;
  readonly heapLimitMb?: number;
  readonly maxAdapters?: number;
  readonly memoryLimitMb?: number;
  readonly logger?: Logger;
};

/** A pool and a way to open fault adapters in it. */
export function hostFixture(options: HostFixtureOptions = {}) {
  const stateDir = mkdtempSync(join(tmpdir(), "bulkhead-hosts-"));
  const pool = new HostPool({
    mode: options.mode ?? "process",
    hostEntryUrl: options.hostEntryUrl ?? entries.host,
    threadEntries: entries,
    maxAdapters: options.maxAdapters ?? 100,
    memoryLimitMb: options.memoryLimitMb ?? 2048,
    grants: null,
    moduleUrls: () => [],
    pids: new HostPids(stateDir),
    logger: options.logger ?? silentLogger,
  });
  let lastGeneration = 0;
  async function open(
    settings: FaultSettings = {},
    placement: Placement = "shared",
    ofKey: string | null = null,
    signal: AbortSignal = new AbortController().signal,
  ) {
    lastGeneration += 1;
    const generation = lastGeneration;
    const recorded = recorder();
    const key = ofKey ?? `fault:${generation}`;
    const init = { key, platform: "fault", generation, settings, policy: openPolicy };
    const handle: GenerationHandle = await pool.open(
      {
        key,
        generation,
        entry: "adapter",
        moduleUrl: faultAdapterUrl,
        heapLimitMb: options.heapLimitMb ?? 128,
        init,
        placement,
        signal,
      },
      recorded.listener,
    );
    return {
      handle,
      ...recorded,
      start: () => handle.call("start", {}, { deadlineMs: 10_000, signal }),
      /** The answer comes unless the fault takes the thread first. */
      say: (text: string) =>
        handle.call(
          "send",
          { conversation: "c", response: { kind: "text", text }, idempotencyKey: "k" },
          { deadlineMs: 10_000, signal },
        ),
      provoke(command: FaultCommand): void {
        this.say(JSON.stringify(command)).catch(() => {});
      },
    };
  }
  return { pool, open, stateDir };
}
