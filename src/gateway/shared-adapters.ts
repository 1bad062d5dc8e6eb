/** Specs for adapters that code registers: owned by that code, untouched by every reload. */
import type { Config } from "../contract/config.ts";
import { GatewayError } from "../contract/errors.ts";
import type { AdapterSpec } from "../contract/spec.ts";

const keyFormat = /^[a-z][a-z0-9_-]{0,63}(?::[^:/\s]{1,64})?$/u;

/** @throws {GatewayError} `invalid_request` for a malformed key, `conflict` for one that is taken. */
export function sharedSpec(options: {
  readonly key: string;
  readonly moduleUrl: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly config: Config;
  /** What runs under the key now. */
  readonly existing: AdapterSpec | null;
}): AdapterSpec {
  const { key, moduleUrl, settings, config, existing } = options;
  if (!keyFormat.test(key))
    throw new GatewayError(
      "invalid_request",
      `Cannot register ${JSON.stringify(key)}: expected platform or platform:name`,
    );
  if (existing !== null)
    throw new GatewayError(
      "conflict",
      `Cannot register ${key}: it is taken by the ${existing.owner === "config" ? "config" : "same process"}`,
    );
  return {
    key,
    platform: key.split(":", 1)[0] ?? key,
    owner: "shared",
    moduleUrl,
    settings,
    secrets: [],
    policy: {
      guildFilter: null,
      workspaceFilter: null,
      chatFilter: null,
      channelFilter: {},
      dmAllowedUsers: ["*"],
      allowBotMessages: false,
      allowedSenders: [],
      triggerPrefix: "",
      maxBodyBytes: 1_048_576,
      maxAttachmentBytes: 10_485_760,
      commands: [],
    },
    supervisor: config.supervisor,
    deliveryClass: "best_effort",
    // Nothing ever compares them: no config speaks of this key.
    fingerprints: { policy: "shared", connection: "shared" },
  };
}
