/** From a config to what should run. The same builder serves boot and reload, so that the first reload finds nothing to do. */
import type { AdapterConfig, Config } from "../contract/config.ts";
import type { AdapterSpec, ConsumerSpec, DesiredState, InvalidSpec } from "../contract/spec.ts";
import type { DeliveryClass } from "../contract/status.ts";
import { fingerprintAdapter, fingerprintConsumer } from "./fingerprint.ts";
import { derivePolicy } from "./permissions.ts";

/** What building needs beside the config. */
export type DesiredStateOptions = {
  /** This installation's own key; any length, 32 bytes or more are sensible. */
  readonly fingerprintKey: Uint8Array;
  /** File URL of each built-in platform's adapter module. */
  readonly adapterModules: Readonly<Record<string, string>>;
};

const deliveryClassByPlatform: Readonly<Record<string, DeliveryClass>> = {
  telegram: "durable",
  email: "durable",
  webhook: "durable",
  webchat: "durable",
  slack: "redeliverable",
  discord: "redeliverable",
};

/**
 * Every adapter, consumer and route of `config` as a value; nothing is opened or loaded. An adapter that cannot be built
 * becomes an {@link InvalidSpec} and the others are built all the same.
 */
export function buildDesiredState(config: Config, options: DesiredStateOptions): DesiredState {
  const adapters = new Map<string, AdapterSpec>();
  const invalid = new Map(config.invalid.map((spec): [string, InvalidSpec] => [spec.key, spec]));
  for (const adapter of config.adapters) {
    try {
      adapters.set(adapter.key, buildAdapter(adapter, config, options));
    } catch (reason) {
      invalid.set(adapter.key, unbuildable(adapter, reason));
    }
  }
  return {
    adapters,
    invalid,
    consumers: new Map(
      config.consumers.map((consumer): [string, ConsumerSpec] => {
        const { moduleHash: _, ...spec } = consumer;
        return [consumer.name, { ...spec, fingerprint: fingerprintConsumer(consumer, options.fingerprintKey) }];
      }),
    ),
    router: {
      bindings: config.bindings,
      defaultConsumer: config.gateway.defaultConsumer,
      adapterAuthority: Object.fromEntries(config.adapters.map((adapter) => [adapter.key, adapter.authority])),
    },
    skippedBindings: config.skippedBindings,
  };
}

/** What the platform can do about a message we did not accept. Of a third party nothing is known, so nothing is claimed. */
export function deliveryClassOf(platform: string, durability: Config["journal"]["durability"]): DeliveryClass {
  if (durability === "memory" || !Object.hasOwn(deliveryClassByPlatform, platform)) return "best_effort";
  return deliveryClassByPlatform[platform] ?? "best_effort";
}

function buildAdapter(adapter: AdapterConfig, config: Config, options: DesiredStateOptions): AdapterSpec {
  const { key, platform, settings, secrets, supervisor } = adapter;
  const moduleUrl = adapter.moduleUrl ?? builtInModule(platform, options.adapterModules);
  const policy = derivePolicy(adapter, config.bindings);
  const parts = { ...adapter, policy, supervisorDefaults: config.supervisor };
  return {
    key,
    platform,
    owner: "config",
    moduleUrl,
    settings,
    secrets,
    policy,
    supervisor,
    // The module's platform may be a name of ours; only our own modules are known to redeliver.
    deliveryClass: deliveryClassOf(adapter.moduleUrl === null ? platform : "", config.journal.durability),
    fingerprints: fingerprintAdapter(parts, options.fingerprintKey),
  };
}

function builtInModule(platform: string, modules: Readonly<Record<string, string>>): string {
  const moduleUrl = Object.hasOwn(modules, platform) ? modules[platform] : undefined;
  if (moduleUrl !== undefined) return moduleUrl;
  const known = Object.keys(modules).sort().join(", ");
  throw new TypeError(`this build has no adapter for platform "${platform}", expected one of ${known}`);
}

function unbuildable(adapter: AdapterConfig, reason: unknown): InvalidSpec {
  const detail = reason instanceof Error ? reason.message : "an unknown reason";
  const message = `Cannot build adapter "${adapter.key}": ${detail}`;
  return {
    key: adapter.key,
    platform: adapter.platform,
    errors: [{ path: `messaging.${adapter.platform}`, message, line: null }],
  };
}
