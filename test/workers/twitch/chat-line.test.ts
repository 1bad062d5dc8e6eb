import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { channelOf, chatLineOf, escapeTag, loginOf, nickOf, unescapeTag } from "../../../workers/twitch/chat-line.ts";

describe("unescapeTag()", () => {
  it("gives back what escapeTag() was given", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => unescapeTag(escapeTag(text)) === text));
  });

  it("never lets a tag end early", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => !/[; \r\n]/u.test(escapeTag(text))));
  });

  const rows: readonly (readonly [string, string])[] = [
    [String.raw`5\sof\s5\:\\o/`, String.raw`5 of 5;\o/`],
    [String.raw`a\r\nb`, "a\r\nb"],
    [String.raw`an\xunknown\one`, "anxunknowno".concat("ne")],
    ["at the end\\", "at the end"],
  ];
  for (const [escaped, plain] of rows)
    it(`reads ${JSON.stringify(escaped)} as ${JSON.stringify(plain)}`, () => {
      assert.equal(unescapeTag(escaped), plain);
    });
});

describe("chatLineOf()", () => {
  it("takes what the library parsed", () => {
    const line = chatLineOf({
      raw: "…",
      command: "PRIVMSG",
      prefix: "Ann!ann@ann.tmi.twitch.tv",
      tags: { "display-name": String.raw`Ann\sB`, badges: true, id: "1" },
      params: ["#Bridge", "hello"],
    });
    assert.ok(line !== null);
    assert.deepEqual(
      [...line.tags],
      [
        ["display-name", "Ann B"],
        ["badges", ""],
        ["id", "1"],
      ],
    );
    assert.equal(nickOf(line), "ann");
    assert.equal(channelOf(line), "bridge");
  });

  it("takes nothing that is no line", () => {
    for (const value of [null, 7, "PING", {}, { command: "" }, { command: "PRIVMSG", params: "x" }])
      assert.equal(chatLineOf(value), null);
  });

  it("names no channel where there is none", () => {
    for (const params of [[], ["*"], ["#"], ["# room"], ["#a b"]])
      assert.equal(channelOf({ command: "NOTICE", prefix: "", tags: new Map(), params }), null);
  });
});

describe("loginOf()", () => {
  it("takes logins in any case, with or without a mark", () => {
    for (const text of ["room_1", "#Room_1", " @ROOM_1 "]) assert.equal(loginOf(text), "room_1");
  });

  it("takes nothing that would be a line of its own, or no login", () => {
    for (const text of ["", "#", "a b", "a\r\nQUIT", "żółw", "x".repeat(26), "a,b", "a/b"])
      assert.equal(loginOf(text), null);
  });
});
