/** What should run: the values that configuration and reconcile hand to the supervisors, the router and the consumers. */
import type { Policy } from "./adapter.ts";
import type { DeliveryClass, Isolation } from "./status.ts";

/** Every platform of ours. A third party's is any other table name with `module`. */
export const platforms = ["discord", "slack", "telegram", "twitch", "email", "webhook", "webchat"] as const;
/** One of {@link platforms}. */
export type Platform = (typeof platforms)[number];

/** Whether a runtime key's platform is ours, and no third party's. */
export function isPlatform(name: string): name is Platform {
  return (platforms as readonly string[]).includes(name);
}

/** `[supervisor]` in full; all times in milliseconds, defaults in the README. */
export type SupervisorSettings = {
  readonly startTimeoutMs: number;
  readonly stopTimeoutMs: number;
  readonly killTimeoutMs: number;
  readonly hangAfterMs: number;
  readonly backoffMinMs: number;
  readonly backoffMaxMs: number;
  readonly stableAfterMs: number;
  readonly slowRetryFailures: number;
  readonly slowRetryWindowMs: number;
  readonly slowRetryMs: number;
  readonly attentionRetryMs: number;
  readonly memoryLimitMb: number;
  readonly isolation: Isolation;
  readonly standby: boolean;
  /** 0: never. */
  readonly maxAgeMs: number;
};

/** Two HMACs over canonical JSON: one changes with what can be swapped in place, the other with what needs a new generation. */
export type Fingerprints = { readonly policy: string; readonly connection: string };

/** What the config wants for one runtime key. */
export type AdapterSpec = {
  /** `webhook`, or `webhook:ops` for a named instance. */
  readonly key: string;
  readonly platform: string;
  readonly owner: "config" | "shared";
  /** The adapter module's file URL. */
  readonly moduleUrl: string;
  /** camelCase for our platforms, as written for a third party's; references resolved, so it holds secrets: never log it. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Every secret value in `settings`, for redaction by exact value. */
  readonly secrets: readonly string[];
  readonly policy: Policy;
  readonly supervisor: SupervisorSettings;
  readonly deliveryClass: DeliveryClass;
  readonly fingerprints: Fingerprints;
};

/** A runtime key whose table has errors: its last good generation, if any, runs on. */
export type InvalidSpec = {
  readonly key: string;
  readonly platform: string;
  readonly errors: readonly ConfigIssue[];
};

/** One thing wrong with a config. Literal: `{ path: "messaging.slack.bot_token", message: "…", line: 12 }` */
export type ConfigIssue = {
  /** `""` for the file as a whole. */
  readonly path: string;
  /** What was found, what is allowed, the nearest known key. */
  readonly message: string;
  /** 1-based; `null` where it is not known. */
  readonly line: number | null;
};

/** One `[[bindings]]` entry. Absent filters are `null`. */
export type Binding = {
  readonly consumer: string;
  readonly channel: string;
  /** The named instance; `null`: the default one only. */
  readonly adapter: string | null;
  readonly guildId: string | null;
  readonly workspaceId: string | null;
  readonly chatId: string | null;
  readonly teamId: string | null;
  /** Empty: all. */
  readonly channelIds: readonly string[];
  readonly requireMention: boolean;
  readonly dmAllowedUsers: readonly string[];
  /** `null`: the adapter's own list; empty: open to all. */
  readonly authority: readonly string[] | null;
  readonly settings: Readonly<Record<string, unknown>>;
};

/** Where messages go. */
export type ConsumerSpec = {
  readonly name: string;
  readonly target:
    | { readonly kind: "module"; readonly moduleUrl: string }
    | { readonly kind: "url"; readonly url: string; readonly signingSecret: string }
    | { readonly kind: "stream" }
    | { readonly kind: "library" }
    | { readonly kind: "echo" };
  /** Handlers in flight at once. */
  readonly concurrency: number;
  readonly threads: number;
  readonly timeoutMs: number;
  readonly maxAttempts: number;
  /** HMAC, with the module's file hash. */
  readonly fingerprint: string;
};

/** What the router matches on; swapped in the coordinator without touching any adapter. */
export type RouterSpec = {
  readonly bindings: readonly Binding[];
  /** The consumer of what nothing matches. */
  readonly defaultConsumer: string;
  /** `authority` of each adapter's own table. */
  readonly adapterAuthority: Readonly<Record<string, readonly string[]>>;
};

/** Everything a config asks for, made by one builder at boot and at reload alike. */
export type DesiredState = {
  readonly adapters: ReadonlyMap<string, AdapterSpec>;
  readonly invalid: ReadonlyMap<string, InvalidSpec>;
  readonly consumers: ReadonlyMap<string, ConsumerSpec>;
  readonly router: RouterSpec;
  /** Bindings left out because what they name is absent or disabled. */
  readonly skippedBindings: readonly ConfigIssue[];
};
