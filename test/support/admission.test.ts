import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Policy } from "../../src/contract/adapter.ts";
import { derivePolicy } from "../../src/reconcile/permissions.ts";
import { admits, type AdmissionPlace } from "../../src/support/admission.ts";
import { openPolicy } from "./adapter-context.ts";
import { adapterConfig, binding } from "./config-fixture.ts";

type ScopeKind = "guildId" | "workspaceId" | "chatId";

function place(over: Partial<AdmissionPlace> = {}): AdmissionPlace {
  return {
    scope: { kind: "guildId", id: "A" },
    channelIds: ["1"],
    isDirect: false,
    senderId: "ann",
    isBot: false,
    isSelf: false,
    ...over,
  };
}

function policy(over: Partial<Policy> = {}): Policy {
  return { ...openPolicy, dmAllowedUsers: [], ...over };
}

/** Written down once more, by cases instead of by filters. */
function expected(table: {
  readonly scopes: readonly string[] | null;
  readonly channels: Policy["channelFilter"];
  readonly people: readonly string[];
  readonly hearsBots: boolean;
  readonly place: AdmissionPlace;
}): boolean {
  const { place: where } = table;
  if (where.isSelf) return false;
  if (where.isBot && !table.hearsBots) return false;
  if (where.isDirect) return table.people.some((id) => id === "*" || id === where.senderId);
  if (table.scopes !== null && (where.scope === null || !table.scopes.includes(where.scope.id))) return false;
  const own = where.scope === null ? undefined : table.channels[where.scope.id];
  const channels = own ?? table.channels[""] ?? ["*"];
  return channels.includes("*") || channels.some((id) => where.channelIds.includes(id));
}

describe("admits()", () => {
  for (const [kind, filter] of [
    ["guildId", "guildFilter"],
    ["workspaceId", "workspaceFilter"],
    ["chatId", "chatFilter"],
  ] as const satisfies readonly (readonly [ScopeKind, keyof Policy])[])
    it(`decides every combination as its rules say: ${kind}`, () => {
      let cases = 0;
      let admitted = 0;
      for (const scopes of [null, [], ["A"], ["B"], ["A", "B"]])
        for (const channels of [
          {},
          { "": ["1"] },
          { "": [] },
          { A: ["1"] },
          { A: ["*"], "": ["2"] },
          { A: ["2"], "": ["1"] },
          { B: ["2"] },
        ] as readonly Policy["channelFilter"][])
          for (const people of [[], ["*"], ["ann"], ["bob"]])
            for (const hearsBots of [false, true])
              for (const scope of [null, { kind, id: "A" }, { kind, id: "B" }])
                for (const channelIds of [[], ["1"], ["2"], ["9", "1"]])
                  for (const flags of [0, 1, 2, 3, 4, 5, 6, 7]) {
                    const where = place({
                      scope,
                      channelIds,
                      isDirect: (flags & 1) > 0,
                      isBot: (flags & 2) > 0,
                      isSelf: (flags & 4) > 0,
                    });
                    const table = { scopes, channels, people, hearsBots, place: where };
                    const given = policy({
                      [filter]: scopes,
                      channelFilter: channels,
                      dmAllowedUsers: people,
                      allowBotMessages: hearsBots,
                    });
                    const answer = admits(given, where);
                    assert.equal(answer, expected(table), JSON.stringify(table));
                    cases += 1;
                    if (answer) admitted += 1;
                  }
      assert.equal(cases, 26_880);
      assert.ok(admitted > 1000 && admitted < cases / 2, String(admitted));
    });

  it("hears nobody in direct messages while the list is empty", () => {
    assert.equal(admits(policy(), place({ isDirect: true, scope: null })), false);
    assert.equal(admits(policy({ dmAllowedUsers: [""] }), place({ isDirect: true, scope: null })), false);
  });

  it("lets the list alone decide about direct messages, whatever the other filters say", () => {
    const narrow = policy({ dmAllowedUsers: ["ann"], workspaceFilter: ["T9"], channelFilter: { "": ["C9"] } });
    const direct = place({ isDirect: true, scope: { kind: "workspaceId", id: "T1" }, channelIds: ["D1"] });
    assert.equal(admits(narrow, direct), true);
    assert.equal(admits(narrow, { ...direct, senderId: "bob" }), false);
  });

  it("never hears the bot itself, also where bots are heard and its name is on the list", () => {
    const open = policy({ allowBotMessages: true, dmAllowedUsers: ["*"] });
    assert.equal(admits(open, place({ isSelf: true, isBot: true })), false);
    assert.equal(admits(open, place({ isSelf: true, isDirect: true })), false);
    assert.equal(admits(open, place({ isBot: true })), true);
  });

  it("hears a thread whose parent is allowed, and one that is allowed itself", () => {
    const given = policy({ channelFilter: { A: ["parent"], B: ["thread"] } });
    assert.equal(admits(given, place({ channelIds: ["thread", "parent"] })), true);
    assert.equal(admits(given, place({ channelIds: ["thread", "other"] })), false);
    assert.equal(admits(given, place({ scope: { kind: "guildId", id: "B" }, channelIds: ["thread", "parent"] })), true);
  });

  it("looks at the filter of the scope's own kind", () => {
    const given = policy({ guildFilter: ["A"], workspaceFilter: ["T"], chatFilter: ["C"] });
    for (const [kind, id] of [
      ["guildId", "A"],
      ["workspaceId", "T"],
      ["chatId", "C"],
    ] as const) {
      assert.equal(admits(given, place({ scope: { kind, id } })), true, kind);
      assert.equal(admits(given, place({ scope: { kind, id: "X" } })), false, kind);
    }
  });

  it("lets nothing without a scope through a filter of scopes", () => {
    assert.equal(admits(policy({ guildFilter: ["A"] }), place({ scope: null })), false);
    assert.equal(admits(policy({ chatFilter: [] }), place({ scope: null })), false);
    assert.equal(admits(policy({ channelFilter: { "": ["1"] } }), place({ scope: null })), true);
  });

  it("takes no property of every object for a guild", () => {
    const strange = place({ scope: { kind: "guildId", id: "constructor" } });
    assert.equal(admits(policy({ channelFilter: { A: ["2"] } }), strange), true);
    assert.equal(admits(policy({ channelFilter: { "": ["2"] } }), strange), false);
  });
});

describe("admits() with what bindings make of a policy", () => {
  const heard = (given: Policy, kind: ScopeKind, places: readonly (readonly [string, string])[]): readonly boolean[] =>
    places.map(([id, channel]) => admits(given, place({ scope: { kind, id }, channelIds: [channel] })));

  it("hears everything where no binding filters, but no direct message", () => {
    const given = derivePolicy(adapterConfig("discord"), []);
    assert.equal(admits(given, place()), true);
    assert.equal(admits(given, place({ isDirect: true, scope: null })), false);
  });

  it("hears the named guilds, in each of them the named channels", () => {
    const given = derivePolicy(adapterConfig("discord"), [
      binding("discord", { guildId: "A", channelIds: ["1", "2"] }),
      binding("discord", { guildId: "B" }),
    ]);
    assert.deepEqual(
      heard(given, "guildId", [
        ["A", "1"],
        ["A", "3"],
        ["B", "3"],
        ["C", "1"],
      ]),
      [true, false, true, false],
    );
  });

  it("hears channels that are named for every workspace in each of them, and all where a binding opens one whole", () => {
    const given = derivePolicy(adapterConfig("slack"), [
      binding("slack", { channelIds: ["C1"] }),
      binding("slack", { workspaceId: "T1", channelIds: ["C2"] }),
      binding("slack", { workspaceId: "T2" }),
    ]);
    assert.deepEqual(given.channelFilter, { "": ["C1"], T1: ["C1", "C2"], T2: ["*"] });
    assert.deepEqual(
      heard(given, "workspaceId", [
        ["T1", "C1"],
        ["T1", "C2"],
        ["T1", "C3"],
        ["T2", "C3"],
        ["T3", "C1"],
        ["T3", "C2"],
      ]),
      [true, true, false, true, true, false],
    );
  });

  it("hears the named chats, and people by the lists of the table and of the bindings", () => {
    const given = derivePolicy(adapterConfig("telegram"), [
      binding("telegram", { chatId: "-100", dmAllowedUsers: ["ann"] }),
    ]);
    assert.deepEqual(
      heard(given, "chatId", [
        ["-100", "-100"],
        ["-200", "-200"],
      ]),
      [true, false],
    );
    const direct = place({ isDirect: true, scope: { kind: "chatId", id: "7" }, channelIds: [] });
    assert.equal(admits(given, direct), true);
    assert.equal(admits(given, { ...direct, senderId: "bob" }), false);
  });
});
