/** A fleet over fake hosts on a mocked clock. */
import type { TestContext } from "node:test";
import type { CommandDeclaration } from "../../src/contract/command.ts";
import type { HistoryEntry } from "../../src/contract/control.ts";
import type { Frame } from "../../src/contract/frame.ts";
import type { AdapterState, Reason } from "../../src/contract/status.ts";
import { AdapterFleet } from "../../src/supervise/fleet.ts";
import type { AdapterReport } from "../../src/supervise/adapter-report.ts";
import type { SmallStore } from "../../src/supervise/supervision-store.ts";
import { FakeHosts } from "./fake-hosts.ts";
import { mockTime } from "./mocked-time.ts";
import { RecordingLogger } from "./recording-logger.ts";

/** The small store in memory; give the same one to the next fleet and the coordinator was killed. */
export class MemoryStore implements SmallStore {
  readonly scopes: Record<string, Record<string, string>> = {};

  async load(scope: string): Promise<Readonly<Record<string, string>>> {
    return { ...this.scopes[scope] };
  }

  put(scope: string, key: string, value: string | null): void {
    const values = (this.scopes[scope] ??= {});
    if (value === null) delete values[key];
    else values[key] = value;
  }
}

/** What a test works with. */
export type Rig = {
  readonly fleet: AdapterFleet;
  readonly hosts: FakeHosts;
  readonly store: MemoryStore;
  readonly frames: { readonly key: string; readonly generation: number; readonly frame: Frame }[];
  readonly changes: (HistoryEntry & { readonly key: string })[];
  /** `KEY GENERATION STATE` of each config that an adapter has come to obey. */
  readonly observed: string[];
  /** `KEY MESSAGES GAPSECONDS` of each report of what was missed. */
  readonly missed: string[];
  /** What every key offers; set it and call `commandsChanged`. */
  readonly offered: { commands: readonly CommandDeclaration[] };
  /** Who lives with the same credential as a key. */
  readonly rivals: Map<string, readonly string[]>;
  readonly logger: RecordingLogger;
  /** Lets everything happen that needs no time. */
  settle(): Promise<void>;
  /** The clock goes on, in steps, so that what a timer sets going gets its turn. `stepMs`: 500 unless told. */
  advance(ms: number, stepMs?: number): Promise<void>;
  status(key: string): AdapterReport;
  /** State and reason of `key`. */
  where(key: string): readonly [AdapterState, Reason];
};

/** A fresh fleet. Draws of the random source are 0.5 unless told. */
export async function supervisionRig(
  t: TestContext,
  options: { readonly store?: MemoryStore; readonly random?: () => number } = {},
): Promise<Rig> {
  mockTime(t, 1_000_000_000_000);
  const hosts = new FakeHosts();
  const store = options.store ?? new MemoryStore();
  const frames: Rig["frames"] = [];
  const changes: Rig["changes"] = [];
  const observed: string[] = [];
  const missed: string[] = [];
  const offered: Rig["offered"] = { commands: [] };
  const rivals: Rig["rivals"] = new Map();
  const logger = new RecordingLogger();
  let lastGeneration = 0;
  const fleet = await AdapterFleet.start({
    hosts,
    store,
    logger,
    generations: { next: () => (lastGeneration += 1) },
    random: options.random ?? (() => 0.5),
    onFrame: (key, generation, frame) => frames.push({ key, generation, frame }),
    onChange: (key, entry) => changes.push({ ...entry, key }),
    onMissed: (key, { messages, gapSeconds }) => missed.push(`${key} ${messages} ${gapSeconds}`),
    commands: () => offered.commands,
    rivals: (key) => rivals.get(key) ?? [],
    onObserved: (key, generation, { state }) => observed.push(`${key} ${generation} ${state}`),
  });
  const status = (key: string): AdapterReport => {
    const found = fleet.statuses().find((report) => report.key === key);
    if (found === undefined) throw new Error(`no status of ${key}`);
    return found;
  };
  return {
    fleet,
    hosts,
    store,
    frames,
    changes,
    observed,
    missed,
    offered,
    rivals,
    logger,
    settle,
    advance: async (ms, stepMs = defaultStepMs) => {
      await settle();
      for (let left = ms; left > 0; left -= stepMs) {
        t.mock.timers.tick(Math.min(left, stepMs));
        await settle();
      }
    },
    status,
    where: (key) => [status(key).state, status(key).reason],
  };
}

const defaultStepMs = 500;

async function settle(): Promise<void> {
  for (let turn = 0; turn < 4; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
