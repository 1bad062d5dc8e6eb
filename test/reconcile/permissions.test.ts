import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import type { Policy } from "../../src/contract/adapter.ts";
import type { Binding } from "../../src/contract/spec.ts";
import { derivePolicy } from "../../src/reconcile/permissions.ts";
import { adapterConfig, binding } from "../support/config-fixture.ts";

const table = adapterConfig("discord").policy;

describe("derivePolicy()", () => {
  it("lets everything through where no binding filters", () => {
    const { guildFilter, workspaceFilter, chatFilter, channelFilter } = derive("discord", []);
    assert.deepEqual(
      { guildFilter, workspaceFilter, chatFilter, channelFilter },
      {
        guildFilter: null,
        workspaceFilter: null,
        chatFilter: null,
        channelFilter: {},
      },
    );
  });

  for (const [platform, scope, filter] of [
    ["discord", "guildId", "guildFilter"],
    ["slack", "workspaceId", "workspaceFilter"],
    ["telegram", "chatId", "chatFilter"],
  ] as const) {
    it(`${platform}: the filter is what the bindings name together, without order or repetition`, () => {
      const policy = derive(
        platform,
        ["2", "1", "2"].map((id) => binding(platform, { [scope]: id })),
      );
      assert.deepEqual(policy[filter], ["1", "2"]);
    });
    it(`${platform}: a binding without a scope widens the filter that another one made`, () => {
      const policy = derive(platform, [binding(platform, { [scope]: "1" }), binding(platform)]);
      assert.equal(policy[filter], null);
    });
  }

  it("unites the channels of a guild's bindings", () => {
    const policy = derive("discord", [
      binding("discord", { guildId: "A", channelIds: ["2"] }),
      binding("discord", { guildId: "A", channelIds: ["1", "2"] }),
      binding("discord", { guildId: "B", channelIds: ["3"] }),
    ]);
    assert.deepEqual(policy.channelFilter, { A: ["1", "2"], B: ["3"] });
  });

  it("a binding for a guild without channel_ids widens the channels that another one named", () => {
    const policy = derive("discord", [
      binding("discord", { guildId: "A", channelIds: ["1"] }),
      binding("discord", { guildId: "A" }),
      binding("discord", { guildId: "B", channelIds: ["3"] }),
    ]);
    assert.deepEqual(policy.guildFilter, ["A", "B"]);
    assert.deepEqual(policy.channelFilter, { B: ["3"] });
  });

  it("heeds channel_ids without a workspace, in every workspace", () => {
    const policy = derive("slack", [
      binding("slack", { channelIds: ["C1"] }),
      binding("slack", { workspaceId: "T1", channelIds: ["C2"] }),
      binding("slack", { workspaceId: "T2" }),
    ]);
    assert.equal(policy.workspaceFilter, null);
    assert.deepEqual(policy.channelFilter, { "": ["C1"], T1: ["C1", "C2"], T2: ["*"] });
  });

  it("has no channel filter once one binding takes every channel everywhere", () => {
    const policy = derive("slack", [binding("slack"), binding("slack", { workspaceId: "T1", channelIds: ["C2"] })]);
    assert.deepEqual(policy.channelFilter, {});
  });

  it("counts only the bindings of its own platform and instance", () => {
    const bindings = [
      binding("discord", { guildId: "default" }),
      binding("discord", { adapter: "ops", guildId: "ops" }),
      binding("slack", { workspaceId: "T1", dmAllowedUsers: ["U1"] }),
    ];
    assert.deepEqual(derive("discord", bindings).guildFilter, ["default"]);
    assert.deepEqual(derive("discord:ops", bindings).guildFilter, ["ops"]);
    assert.equal(derive("discord:other", bindings).guildFilter, null);
    assert.deepEqual(derive("discord", bindings).dmAllowedUsers, []);
  });

  it("is not narrowed by a binding that names another platform's scope and so matches nothing", () => {
    const policy = derive("slack", [
      binding("slack", { workspaceId: "T1" }),
      binding("slack", { guildId: "1", workspaceId: "T2", channelIds: ["C"] }),
      binding("slack", { guildId: "1" }),
    ]);
    assert.deepEqual(policy.workspaceFilter, ["T1"]);
    assert.deepEqual(policy.channelFilter, {});
  });

  for (const platform of ["discord", "slack", "telegram"]) {
    it(`${platform}: who may write directly is the table's list and the bindings', together`, () => {
      const policy = derive(
        platform,
        [binding(platform, { dmAllowedUsers: ["2"] }), binding(platform, { dmAllowedUsers: ["3"] })],
        {
          dmAllowedUsers: ["1", "2"],
        },
      );
      assert.deepEqual(policy.dmAllowedUsers, ["1", "2", "3"]);
    });
    it(`${platform}: an empty list stays empty, which is nobody`, () => {
      assert.deepEqual(derive(platform, [binding(platform)]).dmAllowedUsers, []);
    });
    it(`${platform}: a star among them is everyone`, () => {
      const policy = derive(platform, [binding(platform, { dmAllowedUsers: ["*", "2"] })], { dmAllowedUsers: ["1"] });
      assert.deepEqual(policy.dmAllowedUsers, ["*"]);
    });
  }

  it("twitch: names its channels under one key and compares logins without case", () => {
    const policy = derive("twitch", [
      binding("twitch", { channelIds: ["#Room", "other"], dmAllowedUsers: ["Ann"] }),
      binding("twitch", { channelIds: ["room"] }),
    ]);
    assert.deepEqual(policy.channelFilter, { "": ["other", "room"] });
    assert.deepEqual(policy.dmAllowedUsers, ["ann"]);
  });

  it("twitch: a binding without channel_ids opens every channel", () => {
    const policy = derive("twitch", [binding("twitch", { channelIds: ["room"] }), binding("twitch")]);
    assert.deepEqual(policy.channelFilter, {});
  });

  it("webhook: a binding chooses the consumer and filters nothing", () => {
    const policy = derive("webhook", [binding("webhook", { guildId: "1", channelIds: ["2"] })]);
    assert.deepEqual([policy.guildFilter, policy.channelFilter], [null, {}]);
  });

  it("keeps what the table itself says", () => {
    const own = {
      allowBotMessages: true,
      triggerPrefix: "!",
      maxBodyBytes: 9,
      maxAttachmentBytes: 8,
      allowedSenders: ["b", "a"],
    };
    const { allowBotMessages, triggerPrefix, maxBodyBytes, maxAttachmentBytes, allowedSenders } = derive(
      "email",
      [],
      own,
    );
    assert.deepEqual(
      { allowBotMessages, triggerPrefix, maxBodyBytes, maxAttachmentBytes, allowedSenders },
      { ...own, allowedSenders: ["a", "b"] },
    );
  });

  it("lets through every place that some binding matches", () => {
    const bindingOf = fc.record({
      guildId: fc.constantFrom(null, "A", "B"),
      channelIds: fc.subarray(["1", "2"]),
    });
    const place = fc.record({ guild: fc.constantFrom("A", "B", "C"), channel: fc.constantFrom("1", "2", "3") });
    fc.assert(
      fc.property(fc.array(bindingOf, { minLength: 1, maxLength: 4 }), place, (parts, { guild, channel }) => {
        const policy = derive(
          "discord",
          parts.map((each) => binding("discord", each)),
        );
        const isBound = parts.some(
          (each) =>
            (each.guildId === null || each.guildId === guild) &&
            (each.channelIds.length === 0 || each.channelIds.includes(channel)),
        );
        // Not narrower than the bindings, nor wider.
        assert.equal(isAllowed(policy, guild, channel), isBound);
      }),
      { numRuns: 500 },
    );
  });
});

/** As an adapter reads its policy. */
function isAllowed({ guildFilter, channelFilter }: Policy, guild: string, channel: string): boolean {
  if (guildFilter !== null && !guildFilter.includes(guild)) return false;
  const channels = channelFilter[guild] ?? channelFilter[""] ?? ["*"];
  return channels.includes("*") || channels.includes(channel);
}

function derive(key: string, bindings: readonly Binding[], policy: Partial<typeof table> = {}): Policy {
  return derivePolicy(adapterConfig(key, { policy: { ...table, ...policy } }), bindings);
}
