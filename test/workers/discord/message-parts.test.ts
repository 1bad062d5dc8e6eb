import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parseResponse } from "../../../src/contract/response.ts";
import { fileParts, fitContent, richParts, textParts } from "../../../workers/discord/message-parts.ts";
import { checkMessage } from "../../emulators/discord/message-rules.ts";

describe("textParts()", () => {
  it("makes messages that Discord takes, of every text that shows something", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", minLength: 1, maxLength: 9_000 }), (text) => {
        fc.pre(text.trim() !== "");
        for (const { fields } of textParts(text)) checkMessage(fields, []);
      }),
      { numRuns: 60 },
    );
  });

  it("refuses a text that shows nothing", () => {
    assert.throws(() => textParts("  \n"), { code: "message_rejected" });
  });
});

describe("fitContent()", () => {
  it("counts so that no count of Discord's is over 2,000", () => {
    for (const part of fitContent("😀".repeat(3_000))) assert.ok(part.length <= 2_000);
  });
});

describe("fileParts()", () => {
  it("sends the file with its caption's first part, and without a caption alone", () => {
    const file = { kind: "file", filename: "a.txt", mimeType: "text/plain", data: "aGk=" } as const;
    const [only, ...none] = fileParts(file);
    assert.equal(none.length, 0);
    assert.equal(String(only?.files[0]?.data), "hi");
    const parts = fileParts({ ...file, caption: "word ".repeat(600) });
    assert.deepEqual(
      parts.map(({ files }) => files.length),
      [1, 0],
    );
  });
});

describe("richParts()", () => {
  it("makes messages that Discord takes, or refuses by name", () => {
    const card = fc.record(
      {
        title: fc.string({ maxLength: 300 }),
        description: fc.string({ maxLength: 400 }),
        color: fc.integer({ min: -1, max: 0x1ffffff }),
        url: fc.oneof(fc.webUrl(), fc.string()),
        fields: fc.array(fc.record({ name: fc.string(), value: fc.string() }), { maxLength: 27 }),
        timestamp: fc.oneof(fc.constant("2026-01-01T00:00:00Z"), fc.string()),
      },
      { requiredKeys: [] },
    );
    const button = fc.record(
      { label: fc.string({ maxLength: 90 }), customId: fc.string({ maxLength: 110 }), url: fc.webUrl() },
      { requiredKeys: ["label"] },
    );
    const input = fc.record({
      kind: fc.constant("rich_message"),
      text: fc.string(),
      cards: fc.array(card, { maxLength: 12 }),
      interactiveElements: fc.array(
        fc.record({ kind: fc.constant("buttons"), buttons: fc.array(button, { maxLength: 7 }) }),
        {
          maxLength: 6,
        },
      ),
    });
    fc.assert(
      fc.property(input, (raw) => {
        const response = parseResponse(raw);
        assert.ok(response.kind === "rich_message");
        try {
          for (const { fields } of richParts(response)) checkMessage(fields, []);
        } catch (reason) {
          const { code, message } = reason as { readonly code?: string; readonly message: string };
          assert.ok(code === "invalid_request" || code === "message_rejected", message);
        }
      }),
      { numRuns: 200 },
    );
  });
});
