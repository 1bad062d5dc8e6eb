import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { AdapterConfig, Config } from "../../src/contract/config.ts";
import type { Binding } from "../../src/contract/spec.ts";
import { buildDesiredState } from "../../src/reconcile/desired.ts";
import { digest, fingerprintAdapter, fingerprintConsumer } from "../../src/reconcile/fingerprint.ts";
import {
  adapterConfig,
  adapterModules,
  binding,
  config,
  consumerConfig,
  fingerprintKey,
  supervisorDefaults,
} from "../support/config-fixture.ts";

type Changed = "policy" | "connection" | "both" | "neither";

/** A table with every setting of its platform, and each setting's second value. */
const tables: Readonly<
  Record<string, { readonly settings: Record<string, unknown>; readonly other: Record<string, unknown> }>
> = {
  discord: {
    settings: { token: "t1", apiUrl: "", catchUp: true },
    other: { token: "t2", apiUrl: "http://127.0.0.1:9", catchUp: false },
  },
  slack: {
    settings: { botToken: "b1", appToken: "a1", signingSecret: "", port: 1, bind: "::1", apiUrl: "", catchUp: true },
    other: {
      botToken: "b2",
      appToken: "a2",
      signingSecret: "s",
      port: 2,
      bind: "127.0.0.1",
      apiUrl: "x",
      catchUp: false,
    },
  },
  telegram: {
    settings: { token: "t1", apiUrl: "", webhookUrl: "", webhookSecret: "", port: 1, bind: "::1" },
    other: { token: "t2", apiUrl: "x", webhookUrl: "x", webhookSecret: "s", port: 2, bind: "127.0.0.1" },
  },
  twitch: {
    settings: {
      username: "u",
      oauthToken: "o",
      clientId: "",
      clientSecret: "",
      refreshToken: "",
      channels: ["a", "b"],
      ircUrl: "",
      idUrl: "",
    },
    other: {
      username: "v",
      oauthToken: "p",
      clientId: "c",
      clientSecret: "d",
      refreshToken: "r",
      channels: ["a"],
      ircUrl: "x",
      idUrl: "y",
    },
  },
  email: {
    settings: {
      imapHost: "h",
      imapPort: 993,
      imapUsername: "u",
      imapPassword: "p",
      imapUseTls: true,
      smtpHost: "h",
      smtpPort: 587,
      smtpUsername: "u",
      smtpPassword: "p",
      smtpUseStarttls: true,
      fromAddress: "a@b.c",
      fromName: "",
      pollIntervalSecs: 30,
      folders: ["INBOX", "Work"],
      markSeen: true,
      oauth2AccessToken: "",
    },
    other: {
      imapHost: "i",
      imapPort: 143,
      imapUsername: "v",
      imapPassword: "q",
      imapUseTls: false,
      smtpHost: "i",
      smtpPort: 25,
      smtpUsername: "v",
      smtpPassword: "q",
      smtpUseStarttls: false,
      fromAddress: "d@e.f",
      fromName: "n",
      pollIntervalSecs: 60,
      folders: ["INBOX"],
      markSeen: false,
      oauth2AccessToken: "o",
    },
  },
  webhook: {
    settings: { port: 1, bind: "127.0.0.1", authToken: "", signingSecret: "", rateLimitPerSender: 0 },
    other: { port: 2, bind: "::1", authToken: "t", signingSecret: "s", rateLimitPerSender: 1 },
  },
  webchat: {
    settings: {
      port: 1,
      bind: "127.0.0.1",
      authToken: "",
      allowedOrigins: ["a", "b"],
      title: "Chat",
      rateLimitPerSender: 5,
    },
    other: { port: 2, bind: "::1", authToken: "t", allowedOrigins: ["a"], title: "Talk", rateLimitPerSender: 1 },
  },
};

const policyChanges: Readonly<AdapterConfig["policy"]> = {
  dmAllowedUsers: ["42"],
  allowBotMessages: true,
  allowedSenders: ["a@b.c"],
  triggerPrefix: "!",
  maxBodyBytes: 2_048,
  maxAttachmentBytes: 2_048,
};

const bindingChanges: readonly (readonly [string, Partial<Binding>, Changed])[] = [
  ["guild_id", { guildId: "2" }, "policy"],
  ["channel_ids", { channelIds: ["c2"] }, "policy"],
  ["dm_allowed_users", { dmAllowedUsers: ["7"] }, "policy"],
  ["consumer", { consumer: "other" }, "neither"],
  ["require_mention", { requireMention: true }, "neither"],
  ["authority", { authority: ["7"] }, "neither"],
  ["settings", { settings: { model: "x" } }, "neither"],
];

describe("fingerprints of a platform's table", () => {
  for (const [platform, { settings, other }] of Object.entries(tables)) {
    for (const [name, value] of Object.entries(other))
      it(`${platform}: ${name} changes the connection alone`, () => {
        assert.equal(changed({ settings }, { settings: { ...settings, [name]: value } }, platform), "connection");
      });
    for (const [name, value] of Object.entries(policyChanges))
      it(`${platform}: ${name} changes the policy alone`, () => {
        const { policy } = adapterConfig(platform);
        assert.equal(changed({ settings }, { settings, policy: { ...policy, [name]: value } }, platform), "policy");
      });
    it(`${platform}: authority changes neither, the router has it`, () => {
      assert.equal(changed({ settings }, { settings, authority: ["42"] }, platform), "neither");
    });
    it(`${platform}: the order of keys changes neither`, () => {
      const reordered = Object.fromEntries(Object.entries(settings).toReversed());
      assert.equal(changed({ settings }, { settings: reordered }, platform), "neither");
    });
    for (const [name, value] of Object.entries(supervisorChanges()))
      it(`${platform}: supervisor.${name} of its own changes the connection alone`, () => {
        assert.equal(
          changed({ settings }, { settings, supervisor: { ...supervisorDefaults, [name]: value } }, platform),
          "connection",
        );
      });
  }

  for (const [platform, name] of [
    ["twitch", "channels"],
    ["email", "folders"],
    ["webchat", "allowedOrigins"],
  ] as const)
    it(`${platform}: the order of ${name} changes neither`, () => {
      const settings = tables[platform]?.settings ?? {};
      const list = settings[name];
      assert.ok(Array.isArray(list));
      assert.equal(
        changed({ settings }, { settings: { ...settings, [name]: list.toReversed() } }, platform),
        "neither",
      );
    });

  it("the order of allowed users and senders changes neither", () => {
    const { policy } = adapterConfig("email");
    const before = { ...policy, dmAllowedUsers: ["1", "2"], allowedSenders: ["a@b.c", "d@e.f"] };
    const after = { ...policy, dmAllowedUsers: ["2", "1"], allowedSenders: ["d@e.f", "a@b.c"] };
    assert.equal(changed({ policy: before }, { policy: after }, "email"), "neither");
  });
});

describe("fingerprints and bindings", () => {
  const before = binding("discord", { guildId: "1", channelIds: ["c1"] });
  for (const [name, change, expected] of bindingChanges)
    it(`a binding's ${name} changes ${expected === "neither" ? "neither" : `the ${expected} alone`}`, () => {
      const adapters = [adapterConfig("discord")];
      const after = config({ adapters, bindings: [{ ...before, ...change }] });
      assert.equal(changedBetween(config({ adapters, bindings: [before] }), after, "discord"), expected);
    });

  it("the order of bindings changes neither", () => {
    const adapters = [adapterConfig("discord")];
    const bindings = [before, binding("discord", { guildId: "2", channelIds: ["c2"] })];
    const reordered = config({ adapters, bindings: bindings.toReversed() });
    assert.equal(changedBetween(config({ adapters, bindings }), reordered, "discord"), "neither");
  });
});

describe("fingerprints and [supervisor]", () => {
  it("a default of timing applies live and replaces nobody", () => {
    const supervisor = { ...supervisorDefaults, backoffMaxMs: 90_000 };
    const before = config({ adapters: [adapterConfig("webhook")] });
    const after = config({ supervisor, adapters: [adapterConfig("webhook", { supervisor })] });
    assert.equal(changedBetween(before, after, "webhook"), "neither");
  });

  for (const change of [{ memoryLimitMb: 512 }, { isolation: "process" }, { standby: true }] as const)
    it(`a default that only a new thread can take, ${Object.keys(change)[0]}, changes the connection`, () => {
      const supervisor = { ...supervisorDefaults, ...change };
      const before = config({ adapters: [adapterConfig("webhook")] });
      const after = config({ supervisor, adapters: [adapterConfig("webhook", { supervisor })] });
      assert.equal(changedBetween(before, after, "webhook"), "connection");
    });
});

describe("fingerprintAdapter()", () => {
  const parts = {
    ...adapterConfig("acme", {
      moduleUrl: "file:///acme.ts",
      moduleHash: "aa",
      settings: { password: "hunter2", rooms: ["b", "a"] },
    }),
    policy: buildPolicy(),
  };
  const fingerprints = fingerprintAdapter(parts, fingerprintKey);

  it("changes the connection when a third party's module file changes", () => {
    const edited = fingerprintAdapter({ ...parts, moduleHash: "bb" }, fingerprintKey);
    assert.notEqual(edited.connection, fingerprints.connection);
    assert.equal(edited.policy, fingerprints.policy);
  });

  it("keeps the order of a third party's lists, which only it understands", () => {
    const settings = { ...parts.settings, rooms: ["a", "b"] };
    assert.notEqual(fingerprintAdapter({ ...parts, settings }, fingerprintKey).connection, fingerprints.connection);
  });

  it("says nothing to those without the installation's key", () => {
    const elsewhere = fingerprintAdapter(parts, new Uint8Array(32).fill(8));
    assert.notEqual(elsewhere.connection, fingerprints.connection);
    assert.match(fingerprints.connection, /^[0-9a-f]{64}$/u);
    assert.match(fingerprints.policy, /^[0-9a-f]{64}$/u);
  });

  it("does not care whether a value was written out or referred to", () => {
    const settings = { token: "hunter2" };
    assert.equal(changed({ settings }, { settings, secrets: ["hunter2"] }, "discord"), "neither");
  });

  it("tells settings apart whose texts run together the same way", () => {
    const left = { ...parts, settings: { a: "x;b=y", b: "" } };
    const right = { ...parts, settings: { a: "x", b: "y" } };
    assert.notDeepEqual(fingerprintAdapter(left, fingerprintKey), fingerprintAdapter(right, fingerprintKey));
  });
});

describe("fingerprintConsumer()", () => {
  const before = consumerConfig("main");
  const changes = [
    { moduleHash: "01" },
    { target: { kind: "stream" } },
    { target: { kind: "module", moduleUrl: "file:///other.ts" } },
    { concurrency: 1 },
    { threads: 2 },
    { timeoutMs: 1 },
    { maxAttempts: 1 },
  ] as const;
  for (const change of changes)
    it(`changes with ${JSON.stringify(change)}`, () => {
      const after = fingerprintConsumer({ ...before, ...change }, fingerprintKey);
      assert.notEqual(after, fingerprintConsumer(before, fingerprintKey));
      assert.match(after, /^[0-9a-f]{64}$/u);
    });
});

describe("digest()", () => {
  it("keeps equal values of different meaning apart", () => {
    assert.notEqual(digest("policy", {}, fingerprintKey), digest("connection", {}, fingerprintKey));
  });
});

function supervisorChanges(): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(supervisorDefaults).map(([name, value]) => [
      name,
      typeof value === "number" ? value + 1 : value === "auto" ? "process" : true,
    ]),
  );
}

function buildPolicy() {
  const spec = buildDesiredState(config({ adapters: [adapterConfig("webhook")] }), { fingerprintKey, adapterModules });
  const policy = spec.adapters.get("webhook")?.policy;
  assert.ok(policy);
  return policy;
}

function changed(before: Partial<AdapterConfig>, after: Partial<AdapterConfig>, key: string): Changed {
  const of = (parts: Partial<AdapterConfig>): Config => config({ adapters: [adapterConfig(key, parts)] });
  return changedBetween(of(before), of(after), key);
}

function changedBetween(before: Config, after: Config, key: string): Changed {
  const [left, right] = [before, after].map(
    (each) => buildDesiredState(each, { fingerprintKey, adapterModules }).adapters.get(key)?.fingerprints,
  );
  assert.ok(left && right);
  const isPolicy = left.policy !== right.policy;
  const isConnection = left.connection !== right.connection;
  if (isPolicy && isConnection) return "both";
  return isPolicy ? "policy" : isConnection ? "connection" : "neither";
}
