/** Every export says what it is: at least four of five have a doc comment right above them. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { sourceFiles } from "./support/source-files.ts";

/** The share of exports with a doc comment. */
const wantedShare = 0.8;

type Export = { readonly place: string; readonly isDocumented: boolean };

describe("doc comments", () => {
  it(`stand above at least ${wantedShare * 100} % of all exports`, () => {
    const exports = sourceFiles(["src", "workers"]).flatMap(({ path, text }) => exportsOf(path, text));
    const undocumented = exports.filter(({ isDocumented }) => !isDocumented).map(({ place }) => place);
    assert.ok(exports.length > 100, `${exports.length} exports found`);
    assert.ok(
      undocumented.length <= exports.length * (1 - wantedShare),
      `${undocumented.length} of ${exports.length} exports have no doc comment:\n${undocumented.join("\n")}`,
    );
  });

  it("are found above an export, and nothing else is taken for one", () => {
    const text = [
      "/** What it is. */",
      "export const one = 1;",
      "/**",
      " * What it is,",
      " * at length.",
      " */",
      "",
      "export function two() {}",
      "/* no doc comment */",
      "export type Three = 3;",
      "const four = 4; // */",
      "export const five = 5;",
      'export { six } from "./six.ts";',
      'export type { Seven } from "./seven.ts";',
      'export * from "./eight.ts";',
      '/** @see */ const nine = "/** */";',
      "export default nine;",
    ].join("\n");
    assert.deepEqual(
      exportsOf("a.ts", text).map(({ place, isDocumented }) => `${place} ${isDocumented}`),
      ["a.ts:2 true", "a.ts:8 true", "a.ts:10 false", "a.ts:12 false", "a.ts:17 false"],
    );
  });
});

/** Exports of a file; names passed on from another one are documented where they are from. */
function exportsOf(path: string, text: string): readonly Export[] {
  const lines = text.split("\n").map((line) => line.trimEnd());
  return lines.flatMap((line, index) => {
    if (!/^export\s/u.test(line) || /^export\s+(?:type\s+)?[{*]/u.test(line)) return [];
    return [{ place: `${path}:${index + 1}`, isDocumented: endsDocComment(lines.slice(0, index)) }];
  });
}

/** Whether the last line that is not blank is a doc comment's end. */
function endsDocComment(lines: readonly string[]): boolean {
  const end = lines.findLastIndex((line) => line !== "");
  if (!(lines[end] ?? "").endsWith("*/")) return false;
  const start = lines.slice(0, end + 1).findLastIndex((line) => line.trimStart().startsWith("/*"));
  const isInOneComment = !lines.slice(start, end).some((line) => line.includes("*/"));
  return isInOneComment && (lines[start] ?? "").trimStart().startsWith("/**");
}
