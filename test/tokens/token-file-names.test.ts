import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { describe, it } from "node:test";
import fc from "fast-check";
import { legacyTokenFiles, tokenFileName } from "../../src/tokens/token-file-names.ts";
import { sourceFiles, withoutComments } from "../support/source-files.ts";

const noKeys: ReadonlySet<string> = new Set();

describe("tokenFileName()", () => {
  const rows: readonly (readonly [key: string, fileName: string])[] = [
    ["twitch", "twitch_token.json"],
    ["twitch:ops", "twitch_token_ops_a92c36e66a25ee99.json"],
    ["twitch:My Bot/2", `twitch_token_My_Bot_2_${hash("sha256", "My Bot/2").slice(0, 16)}.json`],
    ["twitch:żółć", `twitch_token______${hash("sha256", "żółć").slice(0, 16)}.json`],
  ];
  for (const [key, fileName] of rows)
    it(`calls the file of ${key} ${fileName}`, () => {
      assert.equal(tokenFileName(key), fileName);
    });

  it("hashes a name to the same in every version of every program", () => {
    // The first 16 digits of what `printf %s ops | sha256sum` prints.
    assert.match(tokenFileName("twitch:ops"), /_a92c36e66a25ee99\.json$/u);
  });

  it("is the one place where token files are named", () => {
    const naming = sourceFiles(["src", "workers"]).filter(({ text }) =>
      /_token(?:_\$|\.json)/u.test(withoutComments(text)),
    );
    assert.deepEqual(
      naming.map(({ path }) => path),
      ["src/tokens/token-file-names.ts"],
    );
  });

  it("bounds the name of every file, and keeps it inside its directory", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 500 }), (name) => {
        const fileName = tokenFileName(`twitch:${name}`);
        assert.match(fileName, /^twitch_token_[A-Za-z0-9_]{0,64}_[0-9a-f]{16}\.json$/u);
      }),
    );
  });

  it("tells apart names that are sanitised or cut to the same", () => {
    const names = ["a b", "a_b", "a/b", `${"x".repeat(64)}1`, `${"x".repeat(64)}2`];
    assert.equal(new Set(names.map((name) => tokenFileName(`twitch:${name}`))).size, names.length);
  });
});

describe("legacyTokenFiles()", () => {
  const find = (key: string, fileNames: readonly string[], keys = noKeys): readonly string[] =>
    legacyTokenFiles(key, fileNames, keys);

  it("knows both older names", () => {
    const names = ["twitch_token_my_bot.json", "twitch_token_my_bot_0123456789abcdef.json"];
    assert.deepEqual(find("twitch:my bot", names), names);
  });

  it("knows an older name whose hash stands behind a name that was cut", () => {
    const name = "n".repeat(100);
    const names = [`twitch_token_${"n".repeat(64)}_0123456789abcdef.json`, `twitch_token_${name}.json`];
    assert.deepEqual(find(`twitch:${name}`, names), names);
  });

  it("takes nothing else for one", () => {
    const names = [
      tokenFileName("twitch:ops"),
      "twitch_token.json",
      "twitch_token_ops2.json",
      "twitch_token_ops_0123456789ABCDEF.json",
      "twitch_token_ops_0123456789abcde.json",
      "twitch_token_ops.json.new",
      "slack_token_ops.json",
      "journal.db",
    ];
    assert.deepEqual(find("twitch:ops", names), []);
    assert.deepEqual(find("twitch", names), []);
  });

  it("leaves alone what another adapter may have written", () => {
    const keys = new Set(["twitch:a b", "twitch:a_b"]);
    const names = [tokenFileName("twitch:a_b"), "twitch_token_a_b.json", "twitch_token_a_b_0123456789abcdef.json"];
    assert.deepEqual(find("twitch:a b", names, keys), []);
    assert.deepEqual(find("twitch:a b", names.slice(1), new Set(["twitch:a b"])), names.slice(1));
  });

  it("never gives a file to two adapters, and never the present one of any", () => {
    const name = fc.constantFrom("a", "a b", "a_b", "a-b", "a_0123456789abcdef", "b");
    fc.assert(
      fc.property(fc.uniqueArray(name, { minLength: 1 }), (instances) => {
        const keys = new Set(instances.map((instance) => `twitch:${instance}`));
        const present = [...keys].map(tokenFileName);
        const older = ["a", "a_b", "a_0123456789abcdef", "a_b_0123456789abcdef", "b"].map(
          (stem) => `twitch_token_${stem}.json`,
        );
        const given = [...keys].flatMap((key) => find(key, [...present, ...older], keys));
        assert.equal(new Set(given).size, given.length);
        assert.ok(!given.some((fileName) => present.includes(fileName)));
      }),
    );
  });
});
