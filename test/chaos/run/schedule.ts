/** What goes wrong in a run and when: the same for the same seed. Pure. */
import type { FaultPlace, PlatformFault } from "../../conformance/emulated-platform.ts";
import { randomSource, shuffled, type RandomSource } from "../../support/random-source.ts";
import { disturbsLook, isSteady } from "./calm.ts";
import type { Fault, PlannedFault, SavedConfig, Victim } from "./fault.ts";

/** How often something goes wrong, on average. */
const periodMs = 2_000;
/** Messages flow for so long before anything goes wrong. */
const beginMs = 3_000;
/**
 * Deaths of one host's kind are so far apart: each makes its replacement wait longer, up to half a minute, and a run must
 * converge in ten seconds.
 */
const hostDeathPeriodMs = 75_000;

/** What a run is made of. */
export type ScheduleOptions = {
  readonly seed: number;
  readonly durationMs: number;
  /** Runtime keys whose service the adapter calls or connects to. */
  readonly services: readonly string[];
  /** Of these, those that keep a connection. */
  readonly connections: readonly string[];
  /** All of them, those whose clients call the adapter too. */
  readonly platforms: readonly string[];
  /** Those whose secret is in a file of its own. */
  readonly secretive: readonly string[];
  /** The platforms that say a message again until it is acknowledged. */
  readonly redelivering: readonly string[];
  /** What this machine has. */
  readonly can: { readonly moveClock: boolean };
};

type Maker = (random: RandomSource) => Fault;

/** Faults in the order of their time; the last one early enough that it is lifted within the run. */
export function schedule(options: ScheduleOptions): readonly PlannedFault[] {
  const random = randomSource(options.seed);
  const groups = groupsOf(options);
  const decks = groups.map(({ makers }) => new Deck(makers, random));
  const turns = new Deck(
    groups.flatMap(({ weight }, index) => Array.from({ length: weight }, () => index)),
    random,
  );
  const lastDeaths = new Map<string, number>();
  const planned: PlannedFault[] = [];
  for (let atMs = beginMs; ; atMs += periodMs / 2 + random(periodMs)) {
    const fault = decks[turns.deal()]?.deal()(random);
    if (fault === undefined) continue;
    const untilMs = atMs + ("forMs" in fault ? fault.forMs : 0);
    if (untilMs > options.durationMs) return planned;
    if (disturbsLook(atMs, untilMs, options.durationMs)) continue;
    const dying = dyingHost(fault);
    // Life is compared with life there: nobody's may end.
    if (isSteady(atMs, options.durationMs) && (endsCoordinator(fault) || (dying !== null && dying !== "handlers")))
      continue;
    if (dying !== null && atMs - (lastDeaths.get(dying) ?? Number.NEGATIVE_INFINITY) < hostDeathPeriodMs) continue;
    if (dying !== null) lastDeaths.set(dying, atMs);
    planned.push({ ...fault, atMs });
  }
}

/** Dealt until it is empty, then shuffled anew: over time everything comes equally often. */
class Deck<Card> {
  readonly #cards: readonly Card[];
  readonly #random: RandomSource;
  #left: Card[] = [];

  constructor(cards: readonly Card[], random: RandomSource) {
    if (cards.length === 0) throw new RangeError("A deck needs cards");
    this.#cards = cards;
    this.#random = random;
  }

  deal(): Card {
    if (this.#left.length === 0) this.#left = shuffled(this.#cards, this.#random);
    // Just filled, so there is one.
    return this.#left.pop() as Card;
  }
}

type Group = { readonly weight: number; readonly makers: readonly Maker[] };

function groupsOf(options: ScheduleOptions): readonly Group[] {
  const { services, connections, platforms, redelivering, can } = options;
  const groups: readonly Group[] = [
    { weight: 5, makers: services.flatMap((platform) => serviceFaults(platform)) },
    {
      weight: 4,
      makers: [
        ...services.map((platform): Maker => (random) => ({ kind: "outage", platform, forMs: 2_000 + random(5_000) })),
        ...connections.map((platform): Maker => () => ({ kind: "freeze", platform })),
        ...platforms.flatMap((platform): readonly Maker[] => [
          () => ({ kind: "cut", platform }),
          () => ({ kind: "nonsense", platform }),
        ]),
        ...redelivering.map((platform): Maker => () => ({ kind: "repeat", platform })),
      ],
    },
    { weight: 3, makers: processFaults },
    { weight: 3, makers: configFaults(options) },
    { weight: 2, makers: adapterFaults },
    { weight: 2, makers: [() => ({ kind: "journal-thread" }), ...machineFaults(can)] },
  ];
  return groups.filter(({ makers }) => makers.length > 0);
}

const places: readonly FaultPlace[] = ["connect", "receive", "send"];

function serviceFaults(platform: string): readonly Maker[] {
  const at =
    (place: FaultPlace, fault: (random: RandomSource) => PlatformFault): Maker =>
    (random) => ({ kind: "service", platform, place, fault: fault(random), forMs: 1_000 + random(4_000) });
  return [
    ...places.flatMap((place) => [
      at(place, () => ({ kind: "hang" })),
      at(place, (random) => ({ kind: "drop", times: 1 + random(5) })),
      at(place, (random) => ({ kind: "rate_limit", retryAfterSeconds: 1 + random(2), times: 1 + random(3) })),
      at(place, (random) => ({
        kind: "server_error",
        status: ([500, 502, 503] as const)[random(3)] ?? 500,
        times: 1 + random(3),
      })),
    ]),
    // Of a send it would be final: the platform says that it never will.
    at("connect", () => ({ kind: "bad_credentials" })),
  ];
}

const processFaults: readonly Maker[] = [
  ...(["coordinator", "adapters", "handlers"] as const).map((victim): Maker => () => ({
    kind: "kill",
    victim,
  })),
  ...(["coordinator", "adapters", "handlers"] as const).map((victim): Maker => (random) => ({
    kind: "stop",
    victim,
    forMs: 500 + random(3_500),
  })),
  // So long is a host taken for dead.
  (random) => ({ kind: "stop", victim: (["adapters", "handlers"] as const)[random(2)] ?? "adapters", forMs: 7_000 }),
  () => ({ kind: "restart" }),
  ...[true, true, false].map((endsInKill): Maker => (random) => ({
    kind: "slow-disk",
    forMs: 1_000 + random(3_000),
    endsInKill,
  })),
];

/** Those who have a policy that can be another and lets everybody in. */
const swappable: ReadonlySet<string> = new Set(["discord", "slack", "telegram", "email", "webhook"]);

function configFaults({ platforms, secretive }: ScheduleOptions): readonly Maker[] {
  const saved =
    (what: SavedConfig, platform: string): Maker =>
    (random) => ({ kind: "save", what, platform, forMs: 500 + random(4_000) });
  const policies = platforms.filter((platform) => swappable.has(platform));
  return [
    ...platforms.flatMap((platform) => [saved("settings", platform), saved("error", platform)]),
    ...policies.map((platform) => saved("policy", platform)),
    ...secretive.map((platform): Maker => (random) => ({
      kind: "rotate-secret",
      platform,
      forMs: 500 + random(4_000),
    })),
    // Of no one platform.
    ...["nonsense", "removal", "nonsense", "removal"].map((what) => saved(what as SavedConfig, "fault")),
    ...policies.map((platform): Maker => (random) => ({ kind: "reload-storm", platform, saves: 5 + random(15) })),
  ];
}

const adapterFaults: readonly Maker[] = (
  [
    { do: "throw" },
    { do: "reject" },
    { do: "exit" },
    { do: "spin" },
    { do: "close" },
    { do: "hash" },
    { do: "kill-host" },
    { do: "stop-host" },
    { do: "fifo" },
    { do: "pool-fifo" },
    { do: "map-bomb" },
    { do: "signal-host", signal: "SIGSEGV" },
    { do: "flood", count: 2_000 },
    { do: "leak-buffers", megabytesPerSecond: 200 },
    { do: "leak-heap", megabytesPerSecond: 50 },
    { do: "allocate", shape: "an array of strings", pace: "fast" },
  ] as const
).map((command): Maker => () => ({ kind: "adapter", command }));

function machineFaults(can: ScheduleOptions["can"]): readonly Maker[] {
  return [
    (random) => ({ kind: "full-disk", forMs: 1_000 + random(4_000) }),
    ...(can.moveClock
      ? [3_600, -3_600, 5, -5].map((jumpSeconds): Maker => () => ({ kind: "clock", jumpSeconds }))
      : []),
  ];
}

function endsCoordinator(fault: Fault): boolean {
  if (fault.kind === "kill") return fault.victim === "coordinator";
  return fault.kind === "restart" || (fault.kind === "slow-disk" && fault.endsInKill);
}

const hostDeaths: ReadonlySet<string> = new Set([
  "hash",
  "kill-host",
  "stop-host",
  "fifo",
  "pool-fifo",
  "signal-host",
  "map-bomb",
  "allocate",
  "leak-heap",
]);

/** Whose host it takes down; `null`: nobody's. */
function dyingHost(fault: Fault): Victim | "fault" | null {
  if (fault.kind === "kill") return fault.victim === "coordinator" ? null : fault.victim;
  if (fault.kind === "stop") return fault.victim !== "coordinator" && fault.forMs > 5_000 ? fault.victim : null;
  // Unkillable threads, aborts and signals: its host goes.
  const isDeadly = fault.kind === "adapter" && hostDeaths.has(fault.command.do);
  return isDeadly ? "fault" : null;
}
