import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { gemoji } from "gemoji";
import { emojiOfName, nameOfEmoji } from "../../src/support/emoji.ts";
import { slackEmoji } from "../../src/support/slack-emoji.ts";

/** Each emoji that either list has, once. */
const everyEmoji = [...new Set([...gemoji.map(({ emoji }) => emoji), ...slackEmoji().map(([emoji]) => emoji)])];

describe("emojiOfName()", () => {
  for (const [name, emoji] of [
    ["+1", "👍"],
    ["thumbsup", "👍"],
    [":thumbsup:", "👍"],
    ["thinking_face", "🤔"],
    ["thinking", "🤔"],
    ["robot_face", "🤖"],
    ["white_check_mark", "✅"],
    ["flag-ch", "🇨🇭"],
    ["us", "🇺🇸"],
    ["flag-us", "🇺🇸"],
    ["+1::skin-tone-2", "👍🏻"],
    [":point_up::skin-tone-4:", "☝🏽"],
    ["female-technologist::skin-tone-6", "👩🏿‍💻"],
    ["tada::skin-tone-6", "🎉"],
  ] as const)
    it(`knows ${name}`, () => assert.equal(emojiOfName(name), emoji));

  it("takes Slack's meaning of a name that others give to another emoji", () => {
    assert.equal(emojiOfName("satellite"), "🛰️");
    assert.equal(emojiOfName("umbrella"), "☂️");
  });

  it("knows no name that nobody gave", () => {
    for (const name of ["", ":", "partyparrot", "constructor", "__proto__", "+1::skin-tone-1", "👍"])
      assert.equal(emojiOfName(name), null, name);
  });
});

describe("nameOfEmoji()", () => {
  it("gives every emoji a name that leads back to it, and no two the same one", () => {
    assert.ok(everyEmoji.length > 1850, String(everyEmoji.length));
    const names = everyEmoji.map((emoji) => {
      const name = nameOfEmoji(emoji);
      assert.equal(emojiOfName(name ?? ""), emoji, `${emoji} ${name}`);
      return name;
    });
    assert.equal(new Set(names).size, names.length);
  });

  it("gives Slack's name where it has one of its own", () => {
    for (const [emoji, name] of slackEmoji()) assert.equal(nameOfEmoji(emoji), name);
    assert.equal(nameOfEmoji("🤔"), "thinking_face");
    assert.equal(nameOfEmoji("🇨🇭"), "flag-ch");
    assert.equal(nameOfEmoji("🇬🇧"), "gb");
  });

  it("writes a tone as Slack does", () => {
    assert.equal(nameOfEmoji("👍🏽"), "+1::skin-tone-4");
    assert.equal(nameOfEmoji("👩🏾‍💻"), "female-technologist::skin-tone-5");
  });

  it("knows an emoji with and without its variation selector", () => {
    assert.equal(nameOfEmoji("❤️"), "heart");
    assert.equal(nameOfEmoji("❤"), "heart");
  });

  it("knows nothing else", () => {
    for (const text of ["", "a", "👍👍", "heart", "🏽"]) assert.equal(nameOfEmoji(text), null, text);
  });
});
