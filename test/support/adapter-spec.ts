/** Builders that default everything a supervision test does not care about. */
import type { Policy } from "../../src/contract/adapter.ts";
import type { AdapterSpec, SupervisorSettings } from "../../src/contract/spec.ts";
import { supervisorDefaults } from "./config-fixture.ts";

/** A policy that lets everything through. */
export function openPolicy(): Policy {
  return {
    guildFilter: null,
    workspaceFilter: null,
    chatFilter: null,
    channelFilter: {},
    dmAllowedUsers: ["*"],
    allowBotMessages: false,
    allowedSenders: [],
    triggerPrefix: "",
    maxBodyBytes: 1_000_000,
    maxAttachmentBytes: 1_000_000,
    commands: [],
  };
}

/** A spec; `settings` of its supervisor and the two fingerprints can be given by themselves. */
export function adapterSpec(
  changes: Partial<Omit<AdapterSpec, "supervisor" | "fingerprints">> & {
    readonly supervisor?: Partial<SupervisorSettings>;
    readonly connection?: string;
    readonly policyFingerprint?: string;
  } = {},
): AdapterSpec {
  const { supervisor, connection, policyFingerprint, ...rest } = changes;
  return {
    key: "webhook",
    platform: "webhook",
    owner: "config",
    moduleUrl: "file:///adapter.js",
    settings: {},
    secrets: [],
    policy: openPolicy(),
    deliveryClass: "durable",
    ...rest,
    supervisor: { ...supervisorDefaults, ...supervisor },
    fingerprints: { connection: connection ?? "c1", policy: policyFingerprint ?? "p1" },
  };
}
