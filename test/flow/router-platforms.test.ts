/** Bindings as they are written, for messages as each platform's adapter gives them: whose they are, and whether they get in. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Routing, RoutingHeader } from "../../src/contract/message.ts";
import type { Binding } from "../../src/contract/spec.ts";
import { readBindings } from "../../src/config/bindings.ts";
import { narrowRouter, route, routeSource } from "../../src/flow/router.ts";
import { derivePolicy } from "../../src/reconcile/permissions.ts";
import { admits } from "../../src/support/admission.ts";
import { adapterConfig } from "../support/config-fixture.ts";
import { messageId, routerSpec } from "../support/flow-fixture.ts";

type Message = { readonly key: string; readonly routing: Routing; readonly senderId?: string };
type Row = readonly [title: string, message: Message, goesTo: string];

const consumers = new Set(["default", "one", "two", "three"]);

/** `[[bindings]]` as in the file; `consumer` and `channel` beside the filters. */
function read(...entries: readonly Readonly<Record<string, unknown>>[]): readonly Binding[] {
  const { bindings, issues } = readBindings(entries);
  assert.deepEqual(issues, []);
  return bindings.map(({ binding }) => binding);
}

/** The consumer, the reason for none, or `refused` where the adapter's own policy lets nothing in. */
function place({ key, routing, senderId = "u1" }: Message, bindings: readonly Binding[]): string {
  const header: RoutingHeader = {
    id: messageId(1),
    conversation: "room",
    kind: "text",
    senderId,
    bytes: 0,
    routing,
  };
  const source = routeSource(key);
  const adapter = adapterConfig(key, { policy: { ...adapterConfig(key).policy, dmAllowedUsers: ["adapter-friend"] } });
  const policy = derivePolicy(adapter, bindings);
  const { guildId, workspaceId, chatId, channelIds = [], isDirect = false } = routing;
  const scope =
    guildId !== undefined
      ? ({ kind: "guildId", id: guildId } as const)
      : workspaceId !== undefined
        ? ({ kind: "workspaceId", id: workspaceId } as const)
        : chatId !== undefined
          ? ({ kind: "chatId", id: chatId } as const)
          : null;
  const isFiltered = ["discord", "slack", "telegram"].includes(source.platform);
  const isIn = admits(policy, { scope, channelIds, isDirect, senderId, isBot: false, isSelf: false });
  if (isFiltered && !isIn) return "refused";
  const router = narrowRouter(routerSpec({ bindings, defaultConsumer: "default" }), source);
  const found = route(header, source, router, consumers);
  return found.kind === "deliver" ? found.consumer : found.reason;
}

function table(platform: string, bindings: readonly Binding[], rows: readonly Row[]): void {
  describe(`bindings of ${platform}`, () => {
    for (const [title, message, goesTo] of rows)
      it(`${title}: ${goesTo}`, () => assert.equal(place(message, bindings), goesTo));
  });
}

const discord = (routing: Routing, senderId?: string, key = "discord"): Message => ({
  key,
  routing,
  ...(senderId === undefined ? {} : { senderId }),
});

table(
  "discord",
  read(
    { consumer: "one", channel: "discord", guild_id: "10", channel_ids: ["100", "101"] },
    { consumer: "two", channel: "discord", guild_id: 10, require_mention: true, dm_allowed_users: ["friend"] },
    { consumer: "three", channel: "discord", guild_id: "20" },
    { consumer: "three", channel: "discord", adapter: "ops" },
  ),
  [
    ["a channel of a guild", discord({ guildId: "10", channelIds: ["100"] }), "one"],
    ["a thread by its parent", discord({ guildId: "10", channelIds: ["555", "101"] }), "one"],
    [
      "another channel of the guild, mentioned",
      discord({ guildId: "10", channelIds: ["7"], mentionsBot: true }),
      "two",
    ],
    ["another channel of the guild, not mentioned", discord({ guildId: "10", channelIds: ["7"] }), "not_mentioned"],
    ["a guild as a whole", discord({ guildId: "20", channelIds: ["9"] }), "three"],
    ["a channel with the same id elsewhere", discord({ guildId: "30", channelIds: ["100"] }), "refused"],
    [
      "a direct message of somebody on a binding's list",
      discord({ isDirect: true, channelIds: ["d"] }, "friend"),
      "two",
    ],
    [
      "a direct message of somebody on the adapter's list alone",
      discord({ isDirect: true, channelIds: ["d"] }, "adapter-friend"),
      "default",
    ],
    ["a direct message of anybody else", discord({ isDirect: true, channelIds: ["100"] }, "stranger"), "refused"],
    ["a named instance", discord({ guildId: "10", channelIds: ["100"] }, "u1", "discord:ops"), "three"],
    [
      "a named instance without bindings",
      discord({ guildId: "10", channelIds: ["100"] }, "u1", "discord:dev"),
      "default",
    ],
  ],
);

const slack = (routing: Routing, senderId = "u1"): Message => ({ key: "slack", routing, senderId });

table(
  "slack",
  read(
    { consumer: "one", channel: "slack", workspace_id: "T1", channel_ids: ["C1"] },
    { consumer: "two", channel: "slack", workspace_id: "T2", require_mention: true, dm_allowed_users: ["U1", "U2"] },
  ),
  [
    ["a channel of a workspace", slack({ workspaceId: "T1", channelIds: ["C1"] }), "one"],
    ["a channel that no binding names", slack({ workspaceId: "T1", channelIds: ["C2"] }), "refused"],
    ["a workspace as a whole, mentioned", slack({ workspaceId: "T2", channelIds: ["C9"], mentionsBot: true }), "two"],
    ["a workspace as a whole, not mentioned", slack({ workspaceId: "T2", channelIds: ["C9"] }), "not_mentioned"],
    ["another workspace", slack({ workspaceId: "T3", channelIds: ["C1"] }), "refused"],
    [
      "a direct message needs no mention",
      slack({ workspaceId: "T2", channelIds: ["D1"], isDirect: true }, "U1"),
      "two",
    ],
    [
      "a direct message is heard whatever the channels are, and is in none of them",
      slack({ workspaceId: "T1", channelIds: ["D1"], isDirect: true }, "U2"),
      "default",
    ],
    [
      "a direct message of anybody else",
      slack({ workspaceId: "T2", channelIds: ["D1"], isDirect: true }, "U9"),
      "refused",
    ],
  ],
);

const telegram = (routing: Routing, senderId = "u1"): Message => ({ key: "telegram", routing, senderId });

table(
  "telegram",
  read(
    { consumer: "one", channel: "telegram", chat_id: -100123 },
    { consumer: "two", channel: "telegram", chat_id: "42", dm_allowed_users: [42, "43"] },
    { consumer: "three", channel: "telegram", chat_id: "-100456", require_mention: true },
  ),
  [
    ["a group by its id, written as a number", telegram({ chatId: "-100123" }), "one"],
    ["a group that wants a mention and has one", telegram({ chatId: "-100456", mentionsBot: true }), "three"],
    ["a group that wants a mention and has none", telegram({ chatId: "-100456" }), "not_mentioned"],
    ["another group", telegram({ chatId: "-100999" }), "refused"],
    ["a private chat that a binding names", telegram({ chatId: "42", isDirect: true }, "42"), "two"],
    ["a private chat of another one on the list", telegram({ chatId: "43", isDirect: true }, "43"), "default"],
    ["a private chat of anybody else", telegram({ chatId: "44", isDirect: true }, "44"), "refused"],
  ],
);

const twitch = (channel: string, mentionsBot = false): Message => ({
  key: "twitch",
  routing: { channelIds: [channel], mentionsBot, senderLogin: "ann" },
});

table(
  "twitch",
  read(
    { consumer: "one", channel: "twitch", channel_ids: ["#Room"] },
    { consumer: "two", channel: "twitch", channel_ids: ["other"], require_mention: true },
  ),
  [
    ["a channel, however it is written in the binding", twitch("room"), "one"],
    ["a channel that wants a mention and has one", twitch("other", true), "two"],
    ["a channel that wants a mention and has none", twitch("other"), "not_mentioned"],
    ["another channel", twitch("third"), "default"],
  ],
);

const conversation = (key: string, routing: Routing = {}): Message => ({ key, routing });

table(
  "email, webhook and web chat",
  read(
    { consumer: "one", channel: "email" },
    { consumer: "one", channel: "webhook", guild_id: "10" },
    { consumer: "two", channel: "webhook", adapter: "ops" },
    { consumer: "two", channel: "webhook" },
    { consumer: "three", channel: "webchat", require_mention: true },
  ),
  [
    ["e-mail", conversation("email"), "one"],
    ["a named mailbox without a binding", conversation("email:sales"), "default"],
    ["a webhook, past a binding whose guild it never has", conversation("webhook"), "two"],
    ["a named webhook", conversation("webhook:ops"), "two"],
    ["a webhook whose caller asks for a consumer", conversation("webhook", { consumer: "three" }), "three"],
    ["a webhook whose caller asks for nobody we know", conversation("webhook", { consumer: "nobody" }), "two"],
    ["web chat that wants a mention, which it never has", conversation("webchat"), "not_mentioned"],
    ["web chat that says it is direct", conversation("webchat", { isDirect: true }), "three"],
  ],
);

table(
  "a third party, by team",
  read(
    { consumer: "one", channel: "acme", team_id: "t1", channel_ids: ["c1"] },
    { consumer: "two", channel: "acme", team_id: "t1" },
  ),
  [
    ["a channel of a team", conversation("acme", { teamId: "t1", channelIds: ["c1"] }), "one"],
    ["a team as a whole", conversation("acme", { teamId: "t1", channelIds: ["c2"] }), "two"],
    ["another team", conversation("acme", { teamId: "t2", channelIds: ["c1"] }), "default"],
    ["no team", conversation("acme", { channelIds: ["c1"] }), "default"],
  ],
);
