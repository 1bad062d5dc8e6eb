import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { messageIdsIn, safeFilename, safeMimeType } from "../../../workers/email/mail.ts";

describe("messageIdsIn()", () => {
  const rows: readonly (readonly [string, readonly string[]])[] = [
    ["<a@b>", ["<a@b>"]],
    ["<a@b> <c@d>", ["<a@b>", "<c@d>"]],
    ["<a@b><c@d>", ["<a@b>", "<c@d>"]],
    ["<a@b>\r\n\t<c@d>", ["<a@b>", "<c@d>"]],
    ["words <a@b> (comment) <<c@d>>", ["<a@b>", "<c@d>"]],
    ["<long\r\n folded@id>", ["<longfolded@id>"]],
    ["", []],
    ["a@b", []],
    ["<>", []],
    ["<a@b", []],
    [`<${"x".repeat(1_000)}@b>`, []],
  ];
  for (const [header, ids] of rows)
    it(`finds ${ids.length} in ${JSON.stringify(header.slice(0, 40))}`, () => {
      assert.deepEqual(messageIdsIn(header), ids);
    });

  it("finds what was written, whatever stands between, and nothing with a space in it", () => {
    const id = fc.stringMatching(/^<[\w.+-]{1,20}@[\w.-]{1,20}>$/u);
    fc.assert(
      fc.property(fc.array(id), fc.constantFrom(" ", "", "\r\n ", ", ", "\t"), (ids, between) => {
        assert.deepEqual(messageIdsIn(ids.join(between)), ids);
      }),
    );
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (header) => {
        for (const found of messageIdsIn(header)) assert.match(found, /^<[^<>\s\p{C}]+>$/u);
      }),
    );
  });
});

describe("safeFilename()", () => {
  const rows: readonly (readonly [string | undefined, string])[] = [
    ["plan.pdf", "plan.pdf"],
    [undefined, "file"],
    ["", "file"],
    [" \u0000 ", "file"],
    ["line\r\nbreak.txt", "linebreak.txt"],
    ["right-to-left-\u202Etxt.exe", "right-to-left-txt.exe"],
    ["żółć 你好 😀.txt", "żółć 你好 😀.txt"],
  ];
  for (const [name, expected] of rows)
    it(`makes ${JSON.stringify(expected)} of ${JSON.stringify(name ?? null)}`, () => {
      assert.equal(safeFilename(name), expected);
    });

  it("is never empty, over-long or of more than one line", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 600 }), (name) => {
        const safe = safeFilename(name);
        assert.ok(safe.length > 0 && safe.length <= 255);
        assert.doesNotMatch(safe, /[\p{Cc}\u2028\u2029]/u);
      }),
    );
  });
});

describe("safeMimeType()", () => {
  it("keeps what is one, and takes nothing else for one", () => {
    assert.equal(safeMimeType("Image/PNG"), "image/png");
    assert.equal(safeMimeType("application/vnd.ms-excel"), "application/vnd.ms-excel");
    for (const type of [undefined, "", "text", "text/plain; charset=x", "text/html\r\nX: y", "a/b/c"])
      assert.equal(safeMimeType(type), "application/octet-stream");
  });
});
