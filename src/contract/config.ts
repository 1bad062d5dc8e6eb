/** A config once it is parsed and checked: what the configuration stage hands to reconcile and to the composition root. */
import type { LogLevel } from "../support/logger.ts";
import type { Policy } from "./adapter.ts";
import type { Binding, ConfigIssue, ConsumerSpec, InvalidSpec, SupervisorSettings } from "./spec.ts";

/** One enabled runtime key's table, references resolved. */
export type AdapterConfig = {
  readonly key: string;
  readonly platform: string;
  /** File URL of a third party's module; `null` for a built-in platform. */
  readonly moduleUrl: string | null;
  /** SHA-256 (hex) of that module's file, so that an edit replaces the adapter; `null` for a built-in platform. */
  readonly moduleHash: string | null;
  /** camelCase for built-in platforms, as written for a third party's. Without what is policy, authority or supervision. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Every secret value in `settings`. */
  readonly secrets: readonly string[];
  /** The table's own part of the policy; bindings add to it. */
  readonly policy: Pick<
    Policy,
    "dmAllowedUsers" | "allowBotMessages" | "allowedSenders" | "triggerPrefix" | "maxBodyBytes" | "maxAttachmentBytes"
  >;
  readonly authority: readonly string[];
  /** `[supervisor]` with `[messaging.x.supervisor]` over it. */
  readonly supervisor: SupervisorSettings;
  /** Where it listens; left out: it connects, or it is a third party's. */
  readonly listensAt?: { readonly host: string; readonly port: number };
};

/** Where the admin API listens. */
export type ListenAddress =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string };

/** A consumer as configured; `moduleHash` is SHA-256 (hex) of a module's file, `null` for the other kinds. */
export type ConsumerConfig = Omit<ConsumerSpec, "fingerprint"> & { readonly moduleHash: string | null };

/** A whole config. Paths are absolute, times in milliseconds, sizes in bytes. */
export type Config = {
  readonly gateway: {
    readonly stateDir: string;
    readonly logLevel: LogLevel;
    readonly shutdownTimeoutMs: number;
    /** Never empty: the first consumer where the config names none. */
    readonly defaultConsumer: string;
    readonly restartOnLeakedThread: "never" | "idle";
    readonly keepRaw: boolean;
  };
  readonly supervisor: SupervisorSettings;
  readonly hosts: {
    readonly mode: "process" | "inline";
    readonly maxAdapters: number;
    readonly memoryLimitMb: number;
    readonly permissions: boolean;
  };
  readonly journal: {
    readonly durability: "full" | "normal" | "memory";
    readonly groupCommitMs: number;
    readonly retainHours: number;
    readonly maxBytes: number;
  };
  readonly admin: { readonly listen: ListenAddress };
  readonly consumers: readonly ConsumerConfig[];
  readonly bindings: readonly Binding[];
  readonly notify: readonly { readonly url: string }[];
  /** Enabled and valid, by runtime key. */
  readonly adapters: readonly AdapterConfig[];
  /** Enabled and wrong: only they are held back. */
  readonly invalid: readonly InvalidSpec[];
  /** Named in the file but switched off: a binding to one is skipped, not an error. */
  readonly disabledKeys: readonly string[];
  /** Bindings left out because what they name is absent or disabled. */
  readonly skippedBindings: readonly ConfigIssue[];
  readonly warnings: readonly ConfigIssue[];
  /** Files and folders with secrets in them, as far as the config names any; absolute. */
  readonly secretPaths: readonly string[];
};

/** A config, or every error that stops it as a whole. Errors inside one `messaging` table are in `config.invalid`. */
export type LoadResult =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly errors: readonly ConfigIssue[] };
