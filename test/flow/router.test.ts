import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import type { Routing, RoutingHeader } from "../../src/contract/message.ts";
import type { Binding, RouterSpec } from "../../src/contract/spec.ts";
import { narrowRouter, route, routeSource, stampOf } from "../../src/flow/router.ts";
import { binding, messageId, routerSpec } from "../support/flow-fixture.ts";

const consumers = new Set(["main", "other", "third"]);

function header(routing: Routing = {}, senderId = "u1"): RoutingHeader {
  return { id: messageId(1), conversation: "room", kind: "text", senderId, bytes: 0, routing };
}

/** The consumer's name, or the reason it has none. */
function find(key: string, bindings: readonly Binding[], of: RoutingHeader = header()): string {
  const found = route(of, routeSource(key), routerSpec({ bindings }), consumers);
  return found.kind === "deliver" ? found.consumer : found.reason;
}

describe("route()", () => {
  it("gives what no binding matches to the default consumer", () => {
    assert.equal(find("webhook", []), "main");
    assert.equal(find("webhook", [binding({ channel: "slack", consumer: "other" })]), "main");
  });

  it("takes the first binding that matches", () => {
    const bindings = [binding({ chatId: "9", consumer: "third" }), binding({ consumer: "other" }), binding()];
    assert.equal(find("webhook", bindings), "other");
  });

  it("keeps the default instance and named ones apart", () => {
    const bindings = [binding({ channel: "discord", adapter: "ops", consumer: "other" })];
    assert.equal(find("discord:ops", bindings), "other");
    assert.equal(find("discord", bindings), "main");
    assert.equal(find("discord:dev", bindings), "main");
    assert.equal(find("discord:ops", [binding({ channel: "discord", consumer: "other" })]), "main");
  });

  const filters: readonly (readonly [title: string, filter: Partial<Binding>, match: Routing, miss: Routing])[] = [
    ["guild_id", { guildId: "1" }, { guildId: "1" }, { guildId: "2" }],
    ["workspace_id", { workspaceId: "1" }, { workspaceId: "1" }, { workspaceId: "2" }],
    ["chat_id", { chatId: "1" }, { chatId: "1" }, { chatId: "2" }],
    ["team_id", { teamId: "1" }, { teamId: "1" }, { teamId: "2" }],
    ["channel_ids", { channelIds: ["1", "3"] }, { channelIds: ["3"] }, { channelIds: ["2"] }],
    ["channel_ids by a thread's parent", { channelIds: ["1"] }, { channelIds: ["7", "1"] }, { channelIds: ["7", "8"] }],
  ];
  for (const [title, filter, match, miss] of filters)
    it(`matches ${title} only when it is equal, and never when it is left out`, () => {
      const bindings = [binding({ ...filter, consumer: "other" })];
      assert.equal(find("webhook", bindings, header(match)), "other");
      assert.equal(find("webhook", bindings, header(miss)), "main");
      assert.equal(find("webhook", bindings, header({})), "main");
    });

  it("does not ignore a filter of another platform", () => {
    assert.equal(find("slack", [binding({ channel: "slack", guildId: "1", consumer: "other" })]), "main");
  });

  it("compares channels with their case", () => {
    const bindings = [binding({ channel: "twitch", channelIds: ["Room"], consumer: "other" })];
    assert.equal(find("twitch", bindings, header({ channelIds: ["room"] })), "main");
  });

  it("drops an unmentioned message of a binding with require_mention instead of trying the next", () => {
    const bindings = [binding({ requireMention: true, consumer: "other" }), binding({ consumer: "third" })];
    assert.equal(find("webhook", bindings, header({ mentionsBot: false })), "not_mentioned");
    assert.equal(find("webhook", bindings), "not_mentioned");
    assert.equal(find("webhook", bindings, header({ mentionsBot: true })), "other");
  });

  it("lets direct messages pass require_mention", () => {
    const bindings = [binding({ channel: "slack", requireMention: true, consumer: "other" })];
    assert.equal(find("slack", bindings, header({ isDirect: true })), "other");
  });

  it("matches a Discord DM by the binding's own list and nothing else", () => {
    const bindings = [
      binding({ channel: "discord", consumer: "third" }),
      binding({ channel: "discord", guildId: "1", channelIds: ["c"], dmAllowedUsers: ["u1"], consumer: "other" }),
    ];
    assert.equal(find("discord", bindings, header({ isDirect: true }, "u1")), "other");
    assert.equal(find("discord", bindings, header({ isDirect: true }, "u2")), "main");
    assert.equal(find("discord", bindings, header({ guildId: "2" }, "u1")), "third");
  });

  it("takes * in a Discord DM list for everyone", () => {
    const bindings = [binding({ channel: "discord", dmAllowedUsers: ["*"], consumer: "other" })];
    assert.equal(find("discord", bindings, header({ isDirect: true }, "anyone")), "other");
  });

  it("follows a consumer asked for by name, and still finds the binding", () => {
    const first = binding({ requireMention: true, consumer: "other" });
    const asked = route(
      header({ consumer: "third" }),
      routeSource("webhook"),
      routerSpec({ bindings: [first] }),
      consumers,
    );
    assert.deepEqual(asked, { kind: "deliver", consumer: "third", binding: first });
  });

  it("ignores a consumer asked for that is not configured", () => {
    assert.equal(find("webhook", [binding({ consumer: "other" })], header({ consumer: "nobody" })), "other");
  });

  const ids = fc.option(fc.constantFrom("1", "2"), { nil: null });
  const anyBinding = fc
    .record({
      consumer: fc.constantFrom("main", "other", "third"),
      channel: fc.constantFrom("discord", "slack"),
      adapter: fc.constantFrom(null, "ops"),
      guildId: ids,
      chatId: ids,
      channelIds: fc.constantFrom([], ["1"], ["2", "3"]),
      requireMention: fc.boolean(),
      dmAllowedUsers: fc.constantFrom([], ["u1"], ["*"]),
    })
    .map((change) => binding(change));
  const anyHeader = fc
    .record(
      {
        guildId: fc.constantFrom("1", "2"),
        chatId: fc.constantFrom("1", "2"),
        channelIds: fc.constantFrom(["1"], ["9", "3"]),
        isDirect: fc.boolean(),
        mentionsBot: fc.boolean(),
        consumer: fc.constantFrom("third", "nobody"),
      },
      { requiredKeys: [] },
    )
    .map((routing) => header(routing));
  const anyKey = fc.constantFrom("discord", "discord:ops", "slack", "slack:ops", "webhook");

  it("comes to the same with a router narrowed to the adapter", () => {
    fc.assert(
      fc.property(fc.array(anyBinding, { maxLength: 6 }), anyHeader, anyKey, (bindings, of, key) => {
        const source = routeSource(key);
        const router = routerSpec({ bindings });
        assert.deepEqual(
          route(of, source, narrowRouter(router, source), consumers),
          route(of, source, router, consumers),
        );
      }),
    );
  });

  it("is not changed by what stands after the binding that decided", () => {
    fc.assert(
      fc.property(
        fc.array(anyBinding, { maxLength: 4 }),
        fc.array(anyBinding),
        anyHeader,
        anyKey,
        (bindings, more, of, key) => {
          const source = routeSource(key);
          const found = route(of, source, routerSpec({ bindings }), consumers);
          if (found.kind === "deliver" && found.binding === null) return;
          assert.deepEqual(route(of, source, routerSpec({ bindings: [...bindings, ...more] }), consumers), found);
        },
      ),
    );
  });
});

describe("stampOf()", () => {
  const stamp = (key: string, router: Partial<RouterSpec>, of: RoutingHeader = header()) =>
    stampOf(of, routeSource(key), routerSpec(router));
  const isAuthority = (...of: Parameters<typeof stamp>): boolean => stamp(...of).senderIsAuthority;

  const lists: readonly (readonly [
    title: string,
    binding: readonly string[] | null,
    adapter: readonly string[],
    is: boolean,
  ])[] = [
    ["is open where neither the binding nor the adapter has a list", null, [], true],
    ["asks the adapter's list where the binding has none", null, ["u2"], false],
    ["knows a sender by the adapter's list", null, ["u2", "u1"], true],
    ["asks the binding's list before the adapter's", ["u2"], ["u1"], false],
    ["knows a sender by the binding's list", ["u1"], ["u2"], true],
    ["is open where the binding's list is empty, whatever the adapter's says", [], ["u2"], true],
    ["takes * for everyone", ["*"], [], true],
  ];
  for (const [title, authority, own, is] of lists)
    it(title, () => {
      const bindings = [binding({ authority })];
      assert.equal(isAuthority("webhook", { bindings, adapterAuthority: { webhook: own } }), is);
    });

  it("asks the list of the sender's own adapter, also where no binding matches", () => {
    const adapterAuthority = { webhook: ["u1"], "webhook:ops": ["u2"] };
    assert.equal(isAuthority("webhook", { adapterAuthority }), true);
    assert.equal(isAuthority("webhook:ops", { adapterAuthority }), false);
  });

  it("knows a Twitch user by the login too, in any case, and nobody else by one", () => {
    const of = header({ senderLogin: "Ann" }, "4711");
    assert.equal(isAuthority("twitch", { adapterAuthority: { twitch: ["aNN"] } }, of), true);
    assert.equal(isAuthority("twitch", { adapterAuthority: { twitch: ["4711"] } }, of), true);
    assert.equal(isAuthority("twitch", { adapterAuthority: { twitch: ["bob"] } }, of), false);
    assert.equal(isAuthority("discord", { adapterAuthority: { discord: ["Ann"] } }, of), false);
    assert.equal(isAuthority("webhook", { adapterAuthority: { webhook: ["U1"] } }), false);
  });

  it("has the settings of the first binding that matches, also where the message asks for a consumer by name", () => {
    const bindings = [
      binding({ chatId: "9", settings: { model: "other" } }),
      binding({ settings: { model: "small" } }),
      binding({ settings: { model: "late" } }),
    ];
    assert.deepEqual(stamp("webhook", { bindings }).bindingSettings, { model: "small" });
    assert.deepEqual(stamp("webhook", { bindings }, header({ consumer: "third" })).bindingSettings, { model: "small" });
  });

  it("has none where no binding matches or the binding has none", () => {
    assert.equal(stamp("webhook", {}).bindingSettings, null);
    assert.equal(stamp("webhook", { bindings: [binding()] }).bindingSettings, null);
  });
});
