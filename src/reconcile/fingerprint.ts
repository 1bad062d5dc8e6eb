/**
 * What tells a changed spec from an unchanged one without holding any of its values: HMAC-SHA-256 with a key of this
 * installation, so that a weak password cannot be guessed from a fingerprint that got out.
 */
import { createHmac } from "node:crypto";
import type { Policy } from "../contract/adapter.ts";
import type { AdapterConfig, ConsumerConfig } from "../contract/config.ts";
import type { Fingerprints, SupervisorSettings } from "../contract/spec.ts";
import { canonicalJson } from "./canonical-json.ts";

/** What one adapter's fingerprints are made of. Leave `supervisorDefaults` out where there is nothing to inherit from. */
export type AdapterParts = Pick<AdapterConfig, "platform" | "moduleUrl" | "moduleHash" | "settings" | "supervisor"> & {
  readonly policy: Policy;
  /** `[supervisor]`. Its values apply live; only what an adapter's own table says otherwise is part of its connection. */
  readonly supervisorDefaults?: SupervisorSettings;
};

/**
 * Lists of a platform's table whose order means nothing: Twitch joins every channel, an origin is allowed or not, and
 * each round of e-mail fetches every folder. A third party's lists keep their order, since only it knows what it means.
 */
const orderlessSettings: Readonly<Record<string, readonly string[]>> = {
  twitch: ["channels"],
  email: ["folders"],
  webchat: ["allowedOrigins"],
};

/** Needs a new thread or a new place, whether it comes from the adapter's table or from the defaults. */
const placementSettings = ["memoryLimitMb", "isolation", "standby"] as const satisfies (keyof SupervisorSettings)[];

/** Lower-case hex HMAC-SHA-256 of `value`'s canonical JSON. `domain` keeps equal values of different meaning apart. */
export function digest(domain: string, value: unknown, key: Uint8Array): string {
  return hmac(domain, canonicalJson(value), key);
}

/**
 * Both fingerprints of one adapter. Every string of its settings goes in as an HMAC of its own, secret or not: so a secret
 * that nobody listed is covered, and moving a literal into a reference to the same value changes nothing.
 * @throws {TypeError} for settings that are not plain data.
 */
export function fingerprintAdapter(parts: AdapterParts, key: Uint8Array): Fingerprints {
  const connection = {
    platform: parts.platform,
    // Where a built-in module lies says nothing about what it does, a third party's path and content do.
    module: parts.moduleUrl === null ? null : [parts.moduleUrl, parts.moduleHash],
    settings: comparableSettings(parts.platform, parts.settings),
    supervisor: ownSupervision(parts.supervisor, parts.supervisorDefaults),
  };
  const sealed = canonicalJson(connection, (text) => JSON.stringify(hmac("string", text, key)));
  return {
    policy: digest("policy", comparablePolicy(parts.policy), key),
    connection: hmac("connection", sealed, key),
  };
}

/** One consumer's fingerprint, with its module's file hash: an edited handler is a changed consumer. */
export function fingerprintConsumer(consumer: ConsumerConfig, key: Uint8Array): string {
  return hmac(
    "consumer",
    canonicalJson(consumer, (text) => JSON.stringify(hmac("string", text, key))),
    key,
  );
}

/** `settings` with the lists whose order means nothing as sets. */
export function comparableSettings(
  platform: string,
  settings: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const orderless = Object.hasOwn(orderlessSettings, platform) ? (orderlessSettings[platform] ?? []) : [];
  return Object.fromEntries(
    Object.entries(settings).map(([name, value]): [string, unknown] => [
      name,
      orderless.includes(name) && Array.isArray(value) ? new Set(value) : value,
    ]),
  );
}

/** `policy` with every list as a set: none of them has an order. */
export function comparablePolicy(policy: Policy): Readonly<Record<string, unknown>> {
  const channels = Object.entries(policy.channelFilter).map(([scope, ids]) => [scope, new Set(ids)] as const);
  return Object.fromEntries(
    Object.entries({ ...policy, channelFilter: Object.fromEntries(channels) }).map(([name, value]) => [
      name,
      Array.isArray(value) ? new Set(value) : value,
    ]),
  );
}

function ownSupervision(
  settings: SupervisorSettings,
  defaults: SupervisorSettings | undefined,
): Readonly<Record<string, unknown>> {
  if (defaults === undefined) return settings;
  const placement: readonly string[] = placementSettings;
  const inherited: Readonly<Record<string, unknown>> = defaults;
  return Object.fromEntries(
    Object.entries(settings).filter(([name, value]) => placement.includes(name) || inherited[name] !== value),
  );
}

function hmac(domain: string, text: string, key: Uint8Array): string {
  return createHmac("sha256", key).update(`${domain}\0${text}`).digest("hex");
}
