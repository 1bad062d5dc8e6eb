/** What every file keeps to, and no linter knows. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { sourceFiles, withoutComments } from "./support/source-files.ts";

/** Names that someone has to expand while reading. Not properties: some are other packages' own. */
const abbreviated =
  /(?<![.\w])(?:tx|rx|cfg|ctx|mgr|msg|req|res|err|evt|cb|idx|tmp|conn|addr|buf|ret|num|str|fn|obj)\b/gu;

/** Fields whose names are another program's. */
const foreignNames: Readonly<Record<string, readonly string[]>> = { "src/admin/pm2.ts": ["msg"] };

describe("tests", () => {
  it("never wait for time to pass", () => {
    const waits = /(?<![.\w])(?:setTimeout|setInterval|sleep)\s*\(/u;
    const timers = /["'](?:node:)?timers(?:\/promises)?["']/u;
    const tests = sourceFiles(["test"]).filter(({ path }) => path.endsWith(".test.ts"));
    assert.ok(tests.length > 100, `${tests.length} tests found`);
    assert.deepEqual(
      tests
        .filter(({ text }) => waits.test(codeOf(text)) || timers.test(withoutComments(text)))
        .map(({ path }) => path),
      [],
    );
  });
});

describe("the product's code", () => {
  it("abbreviates no names", () => {
    const found = sourceFiles(["src", "workers"]).flatMap(({ path, text }) =>
      [...new Set(codeOf(text).match(abbreviated))]
        .filter((name) => foreignNames[path]?.includes(name) !== true)
        .map((name) => `${path}: ${name}`),
    );
    assert.deepEqual(found, []);
  });
});

/** Without comments and what stands in quotes: a child process's program may wait as it likes. */
function codeOf(text: string): string {
  return withoutComments(text).replaceAll(/"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`/gu, '""');
}
