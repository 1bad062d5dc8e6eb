/** A config and its parts with everything defaulted, for tests that care about one field. */
import type { AdapterConfig, Config, ConsumerConfig } from "../../src/contract/config.ts";
import type { Binding, SupervisorSettings } from "../../src/contract/spec.ts";

/** `[supervisor]` as it is by default. */
export const supervisorDefaults: SupervisorSettings = {
  startTimeoutMs: 30_000,
  stopTimeoutMs: 5_000,
  killTimeoutMs: 5_000,
  hangAfterMs: 10_000,
  backoffMinMs: 1_000,
  backoffMaxMs: 60_000,
  stableAfterMs: 300_000,
  slowRetryFailures: 5,
  slowRetryWindowMs: 600_000,
  slowRetryMs: 300_000,
  attentionRetryMs: 900_000,
  memoryLimitMb: 256,
  isolation: "auto",
  standby: false,
  maxAgeMs: 0,
};

/** An adapter's table; the platform is the key's part before the colon. */
export function adapterConfig(key: string, parts: Partial<AdapterConfig> = {}): AdapterConfig {
  return {
    key,
    platform: key.split(":")[0] ?? key,
    moduleUrl: null,
    moduleHash: null,
    settings: {},
    secrets: [],
    policy: {
      dmAllowedUsers: [],
      allowBotMessages: false,
      allowedSenders: [],
      triggerPrefix: "",
      maxBodyBytes: 1_048_576,
      maxAttachmentBytes: 10_485_760,
    },
    authority: [],
    supervisor: supervisorDefaults,
    ...parts,
  };
}

/** A `[[consumers]]` entry with a module. */
export function consumerConfig(name: string, parts: Partial<ConsumerConfig> = {}): ConsumerConfig {
  return {
    name,
    target: { kind: "module", moduleUrl: "file:///handler.ts" },
    moduleHash: "00",
    concurrency: 16,
    threads: 1,
    timeoutMs: 30_000,
    maxAttempts: 5,
    ...parts,
  };
}

/** A `[[bindings]]` entry of the consumer `main` that filters nothing. */
export function binding(channel: string, parts: Partial<Binding> = {}): Binding {
  return {
    consumer: "main",
    channel,
    adapter: null,
    guildId: null,
    workspaceId: null,
    chatId: null,
    teamId: null,
    channelIds: [],
    requireMention: false,
    dmAllowedUsers: [],
    authority: null,
    settings: {},
    ...parts,
  };
}

/** A whole config with the consumer `main` and no adapter. */
export function config(parts: Partial<Config> = {}): Config {
  return {
    gateway: {
      stateDir: "/state",
      logLevel: "info",
      shutdownTimeoutMs: 15_000,
      defaultConsumer: "main",
      restartOnLeakedThread: "never",
      keepRaw: false,
    },
    supervisor: supervisorDefaults,
    hosts: { mode: "process", maxAdapters: 100, memoryLimitMb: 2_048, permissions: true },
    journal: { durability: "full", groupCommitMs: 0, retainHours: 24, maxBytes: 2_147_483_648 },
    admin: { listen: { kind: "tcp", host: "127.0.0.1", port: 8_787 } },
    consumers: [consumerConfig("main")],
    bindings: [],
    notify: [],
    adapters: [],
    invalid: [],
    disabledKeys: [],
    skippedBindings: [],
    warnings: [],
    secretPaths: [],
    ...parts,
  };
}

/** A module for each built-in platform. */
export const adapterModules: Readonly<Record<string, string>> = Object.fromEntries(
  ["discord", "slack", "telegram", "twitch", "email", "webhook", "webchat"].map((name) => [name, `file:///${name}.ts`]),
);

/** A key for fingerprints. */
export const fingerprintKey = new Uint8Array(32).fill(7);
