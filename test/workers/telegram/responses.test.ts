import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseResponse } from "../../../src/contract/response.ts";
import { commandNames, menuOf } from "../../../workers/telegram/command-menu.ts";
import { fileCallOf, safeFilename } from "../../../workers/telegram/file-call.ts";
import { fitText, requireParts } from "../../../workers/telegram/fit-text.ts";
import { reactionOf } from "../../../workers/telegram/reactions.ts";
import { keyboardOf, pollFields, richText } from "../../../workers/telegram/rich-message.ts";
import { allowedReactions } from "../../emulators/telegram/allowed-reactions.ts";

function rich(fields: object): Extract<ReturnType<typeof parseResponse>, { kind: "rich_message" }> {
  const response = parseResponse({ kind: "rich_message", text: "", ...fields });
  if (response.kind !== "rich_message") throw new Error("not rich");
  return response;
}

describe("fileCallOf()", () => {
  const rows: readonly (readonly [string, number, string])[] = [
    ["image/png", 100, "sendPhoto"],
    ["IMAGE/JPEG; x=y", 100, "sendPhoto"],
    ["image/png", 20_000_000, "sendDocument"],
    ["image/gif", 100, "sendAnimation"],
    ["video/mp4", 100, "sendVideo"],
    ["audio/ogg", 100, "sendVoice"],
    ["audio/mpeg", 100, "sendAudio"],
    ["text/plain", 100, "sendDocument"],
    ["", 1, "sendDocument"],
  ];
  for (const [mimeType, bytes, method] of rows)
    it(`sends ${bytes} bytes of "${mimeType}" by ${method}`, () => {
      assert.equal(fileCallOf(mimeType, bytes).method, method);
    });

  it("refuses what Telegram takes in no way", () => {
    assert.throws(() => fileCallOf("text/plain", 0), { code: "message_rejected" });
    assert.throws(() => fileCallOf("text/plain", 60_000_000), { code: "too_large" });
  });
});

describe("safeFilename()", () => {
  it("leaves nothing that ends a header", () => {
    assert.equal(safeFilename('a"b\r\nc;d/e'), "a_b__c_d_e");
    assert.equal(safeFilename("  "), "file");
  });
});

describe("reactionOf()", () => {
  it("takes emoji with and without their selector, and names", () => {
    assert.equal(reactionOf("❤️"), "❤");
    assert.equal(reactionOf(":thumbsup:"), "👍");
    assert.equal(reactionOf("fire"), "🔥");
    assert.equal(reactionOf("👍🏽"), "👍");
    for (const emoji of allowedReactions) assert.equal(reactionOf(emoji), emoji);
  });

  it("names what Telegram does not allow", () => {
    assert.throws(() => reactionOf("🧀"), { code: "message_rejected", message: /🧀/u });
    assert.throws(() => reactionOf(""), { code: "message_rejected" });
  });
});

describe("keyboardOf()", () => {
  it("makes buttons of buttons and of each option", () => {
    const { interactiveElements } = rich({
      interactiveElements: [
        {
          kind: "buttons",
          buttons: [
            { label: "A", customId: "a" },
            { label: "B", url: "https://b.example" },
          ],
        },
        { kind: "select", customId: "s", options: [{ label: "One", value: "1", emoji: "☝" }] },
      ],
    });
    assert.deepEqual(keyboardOf(interactiveElements), {
      inline_keyboard: [
        [
          { text: "A", callback_data: "a" },
          { text: "B", url: "https://b.example" },
        ],
        [{ text: "☝ One", callback_data: "s\u001F1" }],
      ],
    });
    assert.equal(keyboardOf([]), undefined);
  });

  it("names the button that Telegram would refuse", () => {
    const of = (button: object): ReturnType<typeof keyboardOf> =>
      keyboardOf(rich({ interactiveElements: [{ kind: "buttons", buttons: [button] }] }).interactiveElements);
    const path = /interactiveElements\[0\]\.buttons\[0\]/u;
    assert.throws(() => of({ label: "x", customId: "ą".repeat(33) }), { code: "message_rejected", message: path });
    assert.throws(() => of({ label: " ", customId: "x" }), { code: "message_rejected", message: path });
    assert.throws(() => of({ label: "x", url: "javascript:x" }), { code: "message_rejected", message: path });
  });
});

describe("pollFields()", () => {
  const poll = { question: "which", answers: ["a", "b"] };
  it("names the field that Telegram would refuse", () => {
    const of = (fields: object): unknown => pollFields(rich({ poll: { ...poll, ...fields } }).poll as never);
    const rows: readonly (readonly [object, RegExp])[] = [
      [{ question: " " }, /poll\.question/u],
      [{ question: "x".repeat(301) }, /poll\.question/u],
      [{ answers: ["a"] }, /poll\.answers/u],
      [{ answers: Array.from({ length: 13 }, String) }, /poll\.answers/u],
      [{ answers: ["a", "x".repeat(101)] }, /poll\.answers\[1\]/u],
    ];
    for (const [fields, message] of rows) assert.throws(() => of(fields), { code: "message_rejected", message });
  });

  it("closes after its hours, and after Telegram's longest at the latest", () => {
    assert.equal(pollFields(rich({ poll }).poll as never).open_period, 86_400);
    assert.equal(pollFields(rich({ poll: { ...poll, durationHours: 5_000 } }).poll as never).open_period, 2_628_000);
  });
});

describe("richText()", () => {
  it("says everything that stands on a card, and takes none of it for marks", () => {
    const card = { title: "a*b", url: "https://a.example", fields: [{ name: "n_", value: "v" }], footer: "end" };
    const text = richText(rich({ text: "top", cards: [card] }));
    assert.equal(text, "top\n\n[**a\\*b**](<https://a.example>)\n\n**n\\_**\nv\n\n*end*");
  });
});

describe("requireParts()", () => {
  it("refuses a text that shows nothing, by its field's name", () => {
    assert.throws(() => requireParts(" \n "), { code: "message_rejected", message: /text is empty/u });
  });

  it("cuts at Telegram's limit in UTF-16 units", () => {
    assert.ok(fitText("😀".repeat(5_000)).every((part) => part.length <= 4096));
  });
});

describe("menuOf()", () => {
  const command = (name: string): Parameters<typeof menuOf>[0][number] => ({
    name,
    description: "d",
    options: [],
    isPrivate: false,
  });
  it("writes names in Telegram's letters, each once", () => {
    assert.deepEqual(
      menuOf([command("show-all"), command("show_all"), command("x")]).map((entry) => entry.command),
      ["show_all", "x"],
    );
    assert.equal(commandNames([command("show-all"), command("show_all")]).get("show_all"), "show-all");
  });

  it("has at most a hundred lines", () => {
    assert.equal(menuOf(Array.from({ length: 120 }, (_, index) => command(`c${index}`))).length, 100);
  });
});
