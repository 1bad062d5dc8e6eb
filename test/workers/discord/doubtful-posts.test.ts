import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { GatewayError } from "../../../src/contract/errors.ts";
import type { DiscordApi } from "../../../workers/discord/api.ts";
import { findPosted, type DoubtfulPart } from "../../../workers/discord/doubtful-posts.ts";
import { snowflakeAt, type Payload } from "../../../workers/discord/payload.ts";

const sinceMs = Date.UTC(2030, 0, 1);
const userId = "10";
const place = { channelId: "5", userId, sinceMs };

/** A message so many milliseconds after the send was handed over. */
function message(afterMs: number, fields: Payload): Payload {
  return { id: snowflakeAt(sinceMs + afterMs), author: { id: userId }, content: "", ...fields };
}

/** A channel as Discord lists it: newest first, a page of at most 100 before an id. `messages` are oldest first. */
function apiOf(messages: readonly Payload[]): DiscordApi {
  const list = async ({ query }: { readonly query: URLSearchParams }): Promise<readonly Payload[]> => {
    const before = query.get("before");
    return messages
      .toReversed()
      .filter(({ id }) => before === null || BigInt(String(id)) < BigInt(before))
      .slice(0, Number(query.get("limit")));
  };
  return { list } as unknown as DiscordApi;
}

function text(content: string, nonce = "n"): DoubtfulPart {
  return { body: { fields: { content, allowed_mentions: {} }, files: [] }, nonce };
}

const card: DoubtfulPart = { body: { fields: { content: "see", embeds: [{}] }, files: [] }, nonce: "n" };

describe("findPosted()", () => {
  const rows: readonly (readonly [
    title: string,
    messages: readonly Payload[],
    parts: readonly DoubtfulPart[],
    found: readonly number[],
  ])[] = [
    ["knows a text of ours by what it says", [message(10, { content: " hi " })], [text("hi")], [10]],
    ["takes nobody else's", [message(10, { content: "hi", author: { id: "11" } })], [text("hi")], []],
    ["takes none from before the send", [message(-6_000, { content: "hi" })], [text("hi")], []],
    [
      "takes a nonce over a text where Discord tells it",
      [message(10, { content: "hi", nonce: "other" }), message(20, { content: "hi", nonce: "n" })],
      [text("hi")],
      [20],
    ],
    [
      "finds a nonce although the clock was an hour ahead when it was sent",
      [message(-3_600_000, { content: "hi", nonce: "n" }), message(-3_500_000, { content: "later", nonce: "m" })],
      [text("hi")],
      [-3_600_000],
    ],
    [
      "finds the first parts in order",
      [message(10, { content: "one" }), message(20, { content: "two" })],
      [text("one"), text("two"), text("three")],
      [10, 20],
    ],
    ["takes a later part for no earlier one", [message(10, { content: "two" })], [text("one"), text("two")], []],
    ["calls a card lost where we said nothing since", [message(10, { author: { id: "11" } })], [card], []],
    ["finds a card by its nonce", [message(10, { nonce: "n" })], [card], [10]],
    [
      "reads on beyond a page",
      [
        ...Array.from({ length: 150 }, (_, index) => message(index, { author: { id: "11" } })),
        message(900, { content: "hi" }),
      ],
      [text("hi")],
      [900],
    ],
  ];
  for (const [title, messages, parts, found] of rows)
    it(title, async () => {
      assert.deepEqual(
        await findPosted(apiOf(messages), place, parts),
        found.map((afterMs) => snowflakeAt(sinceMs + afterMs)),
      );
    });

  it("does not tell what it could not know: a card, a flood, a hidden channel", async () => {
    const ours = [message(10, { content: "something else" })];
    const flood = Array.from({ length: 501 }, (_, index) => message(index, { author: { id: "11" } }));
    const hidden = { list: () => Promise.reject(new GatewayError("forbidden", "Missing Access")) } as unknown;
    for (const [api, part] of [
      [apiOf(ours), card],
      [apiOf(flood), text("hi")],
      [hidden as DiscordApi, text("hi")],
    ] as const)
      await assert.rejects(findPosted(api, place, [part]), { code: "timeout", retry: { kind: "never" } });
  });

  it("is asked again after an outage", async () => {
    const away = new GatewayError("platform_unavailable", "503");
    const api = { list: () => Promise.reject(away) } as unknown as DiscordApi;
    await assert.rejects(findPosted(api, place, [text("hi")]), away);
  });
});
