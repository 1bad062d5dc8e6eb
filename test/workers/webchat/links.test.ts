import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";

type Piece = { readonly text: string; readonly href: string | null };
// The page's own script, as the browser gets it: it has no types to import.
const page = new URL("../../../workers/webchat/page/links.js", import.meta.url).href;
const { splitLinks } = (await import(page)) as { readonly splitLinks: (text: string) => readonly Piece[] };

function hrefs(text: string): readonly string[] {
  return splitLinks(text).flatMap(({ href }) => href ?? []);
}

describe("splitLinks()", () => {
  it("finds addresses in a text", () => {
    assert.deepEqual(splitLinks("see https://a.example/x?y=1#z, please"), [
      { text: "see ", href: null },
      { text: "https://a.example/x?y=1#z", href: "https://a.example/x?y=1#z" },
      { text: ", please", href: null },
    ]);
  });

  it("leaves the sentence's punctuation out, and brackets that were opened in", () => {
    assert.deepEqual(hrefs("(https://a.example/b). https://a.example/c_(d)! <https://a.example/e>"), [
      "https://a.example/b",
      "https://a.example/c_(d)",
      "https://a.example/e",
    ]);
  });

  it("makes a link of nothing but http and https", () => {
    for (const text of ["javascript:alert(1)", "data:text/html,x", "xhttps://a.example", "https://", "ftp://a.example"])
      assert.deepEqual(hrefs(text), [], text);
  });

  it("loses and adds no character", () => {
    const part = fc.oneof(fc.string(), fc.webUrl(), fc.constantFrom("https://", "http://x", ")", ".", "javascript:"));
    fc.assert(
      fc.property(fc.array(part), (parts) => {
        const text = parts.join(" ");
        const pieces = splitLinks(text);
        assert.equal(pieces.map((piece) => piece.text).join(""), text);
        for (const { href } of pieces) assert.match(href ?? "http://", /^https?:\/\//u);
      }),
    );
  });
});
