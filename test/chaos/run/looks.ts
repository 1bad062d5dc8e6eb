/** What was held at the quiet moments of a run, compared. Pure. */

/** Of a coordinator: counts of one moment at which nothing happens. */
export type Holdings = {
  readonly rssBytes: number;
  readonly threads: number;
  readonly descriptors: number;
  readonly sockets: number;
  readonly timers: number;
  readonly hosts: number;
  /** Processes that are in no status. */
  readonly strays: number;
};

/** Of the host that most adapters live in. */
export type HostHoldings = {
  readonly pid: number;
  readonly keys: readonly string[];
  readonly threads: number;
  readonly descriptors: number;
};

/** Of a platform's service, as it sees us: connections that stand, and sockets of any kind. */
export type ServiceHoldings = { readonly live: number; readonly openSockets: number };

/** One quiet moment. `life`: which of the coordinator's. */
export type Look = {
  readonly life: number;
  /** From the start of the run. */
  readonly atMs: number;
  readonly coordinator: Holdings;
  readonly host: HostHoldings;
  readonly services: Readonly<Record<string, ServiceHoldings>>;
};

/** What two quiet moments of one life may differ by: a connection of our own, a timer that is just due. */
const allowance = { threads: 0, descriptors: 3, sockets: 3, timers: 3, strays: 0 } as const;
/** A quarantined adapter has a host more, with its socket, its pipes and a timer or two. */
const perHost = { threads: 0, descriptors: 5, sockets: 5, timers: 3, strays: 0 } as const;
/** Keep-alive sockets of calls to each platform, and a thread that is kept for the next start. */
const hostAllowance = { threads: 2, descriptors: 12 } as const;
/** Keep-alive sockets of calls. */
const callSockets = 4;
/** Connections that come and go with use: e-mail's for its history is kept for a minute. */
const passing: Readonly<Record<string, number>> = { email: 1 };

/** What has become more than it may from one quiet moment to another, in words. */
export function leaks(looks: readonly Look[]): readonly string[] {
  const lives = pairs(looks, ({ life }) => `${life}`);
  const hosts = pairs(looks, ({ host }) => `${host.pid} ${host.keys.toSorted().join(" ")}`);
  return [
    ...(lives.length === 0 ? ["not measured: no life of the coordinator had two quiet moments"] : []),
    ...(hosts.length === 0 ? ["not measured: no life of the shared host had two quiet moments"] : []),
    ...lives.flatMap(([before, after]) => coordinatorLeaks(before.coordinator, after.coordinator)),
    ...hosts.flatMap(([before, after]) => hostLeaks(before.host, after.host)),
    ...serviceLeaks(looks),
  ];
}

/** The first and the last look of each life. */
function pairs(looks: readonly Look[], lifeOf: (look: Look) => string): (readonly [Look, Look])[] {
  return [...Map.groupBy(looks, lifeOf).values()].flatMap((own) => {
    const [first, last] = [own.at(0), own.at(-1)];
    return first === undefined || last === undefined || first === last ? [] : [[first, last] as const];
  });
}

function coordinatorLeaks(before: Holdings, after: Holdings): readonly string[] {
  const moreHosts = Math.max(0, after.hosts - before.hosts);
  return (Object.keys(allowance) as (keyof typeof allowance)[])
    .filter((name) => after[name] > before[name] + allowance[name] + moreHosts * perHost[name])
    .map((name) => `leaked: the coordinator's ${name} were ${before[name]} and are ${after[name]}`);
}

function hostLeaks(before: HostHoldings, after: HostHoldings): readonly string[] {
  return (Object.keys(hostAllowance) as (keyof typeof hostAllowance)[])
    .filter((name) => after[name] > before[name] + hostAllowance[name])
    .map((name) => `leaked: the shared host's ${name} were ${before[name]} and are ${after[name]}`);
}

/** Connections that an adapter should hold and does not, or holds and should not: it held `before` when it had just started. */
export function wrongConnections(before: Look["services"], now: Look["services"]): readonly string[] {
  return Object.entries(now).flatMap(([key, { live }]) => {
    const wanted = before[key]?.live ?? 0;
    return live >= wanted && live <= wanted + (passing[key] ?? 0)
      ? []
      : [`${key} had ${wanted} connections and has ${live}`];
  });
}

/** The adapters hold what they held when they had just started: whatever is more belongs to one that is gone. */
function serviceLeaks([first, ...later]: readonly Look[]): readonly string[] {
  const before = first?.services ?? {};
  return later.flatMap(({ atMs, services }) => {
    const at = `at ${(atMs / 1000).toFixed(1)} s`;
    return [
      ...wrongConnections(before, services).map((what) => `held: ${what} ${at}`),
      ...Object.entries(services).flatMap(([key, { openSockets }]) => {
        const had = before[key]?.openSockets ?? 0;
        return openSockets <= had + callSockets
          ? []
          : [`leaked: ${key} had ${had} sockets and has ${openSockets} ${at}`];
      }),
    ];
  });
}
