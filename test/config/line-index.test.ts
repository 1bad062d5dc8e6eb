import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { parse, stringify } from "smol-toml";
import { joinPath } from "../../src/config/issue.ts";
import { indexLines } from "../../src/config/line-index.ts";

describe("indexLines()", () => {
  const text = `# a comment with [brackets] and a = b
a = 1 # [not.a.table]
b.c = """
[nor.this]
d = "\\""""

"quoted key".'x y' = 'a # b'
list = [
  1, # ]
  [ "]" ],
]
[t . u]
v = { w = 1, x = "}" }
[[t.list]]
name = "first"
[[t.list]]
name = "second"
[t.list.sub]
deep = 'x'
[[t.list.inner]]
z = ''' it's
'''''
end = true`;
  const rows: readonly (readonly [string, number | null])[] = [
    ["a", 2],
    ["b.c", 3],
    ['"quoted key"."x y"', 7],
    ["list", 8],
    ["list[1]", 8],
    ["t.u", 12],
    ["t.u.v", 13],
    ["t.u.v.w", 13],
    ["t.list[0]", 14],
    ["t.list[0].name", 15],
    ["t.list[1].name", 17],
    ["t.list[1].sub.deep", 19],
    ["t.list[1].inner[0].z", 21],
    ["t.list[1].inner[0].end", 23],
    ["t.list[1].missing", 16],
    ["nor.this", null],
    ["not.a.table", null],
    ["", null],
  ];
  for (const [path, line] of rows) {
    it(`finds ${path === "" ? "the file" : path} at ${line}`, () => {
      parse(text);
      assert.equal(indexLines(text)(path), line);
    });
  }

  it("finds every key of a generated document where it stands", () => {
    const value = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.array(fc.string(), { maxLength: 2 }));
    const table = fc.dictionary(fc.stringMatching(/^[a-z "\\.#\]]{1,6}$/u), value, { maxKeys: 4 });
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^[a-z]{1,4}$/u), table, { maxKeys: 3 }), (document) => {
        const written = stringify(document);
        const lines = written.split("\n");
        const lineOf = indexLines(written);
        for (const [name, fields] of Object.entries(document)) {
          for (const key of Object.keys(fields)) {
            const line = lineOf(joinPath("", name, key));
            const found = parse(lines[(line ?? 0) - 1]?.replace(/=.*$/su, "= 1") ?? "");
            assert.ok(Object.hasOwn(found, key), `${name}.${key} at ${line} in\n${written}`);
          }
        }
      }),
    );
  });

  it("ends for any text", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (any) => void indexLines(any)("a.b")));
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(..."[]='\"\n.a#{},\\ ".split("")) }),
        (any) => void indexLines(any)("a"),
      ),
    );
  });
});
