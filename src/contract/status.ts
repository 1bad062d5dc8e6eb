/** The closed lists of what can be observed, and the shape of `GET /v1/status`. Names here are final: scripts read them. */

/** Where an adapter is. `invalid`: no generation runs because its spec has errors. */
export const adapterStates = [
  "starting",
  "running",
  "reconnecting",
  "backing_off",
  "stopping",
  "stopped",
  "paused",
  "needs_attention",
  "unkillable",
  "invalid",
] as const;
/** One of {@link adapterStates}. */
export type AdapterState = (typeof adapterStates)[number];

/** Why an adapter is in its state, or why its last generation ended. */
export const reasons = [
  "none",
  "config_changed",
  "operator",
  "start_failed",
  "start_timeout",
  "stream_ended",
  "crashed",
  "exited",
  "hung",
  "memory_limit",
  "heap_exhausted",
  "host_died",
  "host_silent",
  "silent_transport",
  "bad_credentials",
  "forbidden",
  "rate_limited",
  "budget_exhausted",
  "conflict",
  "port_in_use",
  "platform_unavailable",
  "max_age",
  "module_failed",
  "spec_invalid",
] as const;
/** One of {@link reasons}. */
export type Reason = (typeof reasons)[number];

/** What can be wrong with the gateway or one adapter without stopping the rest. */
export const conditionCodes = [
  "config_invalid",
  "config_missing",
  "spec_invalid",
  "binding_skipped",
  "restart_required",
  "journal_unavailable",
  "journal_full",
  "journal_corrupt",
  "replay_window_short",
  "thread_leaked",
  "host_quarantine",
  "dead_letters",
] as const;
/** One of {@link conditionCodes}. */
export type ConditionCode = (typeof conditionCodes)[number];

/** One standing condition. Literal: `{ code: "config_invalid", key: null, message: "line 3: …", since: "2026-01-01T00:00:00.000Z" }` */
export type Condition = {
  readonly code: ConditionCode;
  /** The runtime key it is about; `null` for the gateway as a whole. */
  readonly key: string | null;
  readonly message: string;
  /** ISO 8601, UTC. */
  readonly since: string;
};

/** `auto`: shared until it proves dangerous; `process`: a host of its own; `thread`: always the shared host. */
export const isolations = ["auto", "process", "thread"] as const;
/** One of {@link isolations}. */
export type Isolation = (typeof isolations)[number];

/** What kind of process an adapter's thread lives in. */
export const hostKinds = ["shared", "own", "inline"] as const;
/** One of {@link hostKinds}. */
export type HostKind = (typeof hostKinds)[number];

/** What a platform can do about a message we did not accept: see the README's table of delivery classes. */
export const deliveryClasses = ["durable", "redeliverable", "best_effort"] as const;
/** One of {@link deliveryClasses}. */
export type DeliveryClass = (typeof deliveryClasses)[number];

/** The host process one adapter lives in. */
export type AdapterHostStatus = { readonly pid: number; readonly kind: HostKind; readonly rssBytes: number };

/** One adapter in `GET /v1/status`. Times are ISO 8601 UTC, an absent value is `null`. */
export type AdapterStatus = {
  readonly key: string;
  readonly platform: string;
  readonly owner: "config" | "shared";
  readonly state: AdapterState;
  readonly reason: Reason;
  readonly message: string | null;
  readonly userAction: string | null;
  readonly since: string;
  readonly attempt: number;
  readonly nextRetryAt: string | null;
  /** The running generation; `null` when none runs. */
  readonly generation: number | null;
  readonly desiredGeneration: number;
  readonly observedGeneration: number;
  readonly deliveryClass: DeliveryClass;
  readonly isolation: Isolation;
  readonly host: AdapterHostStatus | null;
  readonly threadId: number | null;
  readonly restarts: number;
  readonly restartsByReason: Readonly<Partial<Record<Reason, number>>>;
  readonly cpu: { readonly userSeconds: number; readonly systemSeconds: number; readonly percent: number };
  readonly memory: {
    readonly heapBytes: number;
    readonly externalBytes: number;
    readonly arrayBufferBytes: number;
    readonly limitBytes: number;
    /** Its own host's; `null` in a shared one, since no thread has an RSS. */
    readonly rssBytes: number | null;
  };
  readonly eventLoop: { readonly utilization: number; readonly delayP99Ms: number };
  readonly clocks: { readonly frame: string | null; readonly event: string | null; readonly probe: string | null };
  readonly messages: {
    readonly in: number;
    readonly out: number;
    readonly duplicates: number;
    readonly lost: number;
    readonly gapSeconds: number;
  };
  readonly queue: { readonly pending: number; readonly leased: number; readonly dead: number };
  readonly conditions: readonly Condition[];
};

/** One host process. */
export type HostStatus = {
  readonly pid: number;
  readonly kind: HostKind;
  readonly rssBytes: number;
  readonly keys: readonly string[];
  readonly restarts: number;
  readonly quarantineReason: string | null;
};

/** One consumer. `host`: pid of a module consumer's process, else `null`. */
export type ConsumerStatus = {
  readonly name: string;
  readonly kind: "module" | "url" | "stream" | "echo" | "library";
  readonly inFlight: number;
  readonly pending: number;
  readonly dead: number;
  readonly host: number | null;
};

/** The journal as a whole. */
export type JournalStatus = {
  readonly bytes: number;
  readonly maxBytes: number;
  readonly pending: number;
  readonly acked: number;
  readonly dead: number;
  readonly durability: "full" | "normal" | "memory";
};

/** `GET /v1/status`, whole. */
export type GatewayStatus = {
  readonly version: string;
  readonly pid: number;
  readonly uptimeSeconds: number;
  readonly configGeneration: number;
  readonly conditions: readonly Condition[];
  readonly coordinator: {
    readonly cpuPercent: number;
    readonly rssBytes: number;
    readonly eventLoopDelayP99Ms: number;
  };
  readonly hosts: readonly HostStatus[];
  readonly adapters: readonly AdapterStatus[];
  readonly consumers: readonly ConsumerStatus[];
  readonly journal: JournalStatus;
};
