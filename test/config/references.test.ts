import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { isReference, ReferenceResolver, resolveDeep } from "../../src/config/references.ts";
import { configOf, invalidOf } from "./load-text.ts";

describe("ReferenceResolver", () => {
  let folder = "";
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "bulkhead-"));
    await mkdir(path.join(folder, "secrets"));
    await writeFile(path.join(folder, "token.txt"), "from-file\n");
    await writeFile(path.join(folder, "two.txt"), "one\n\n");
    await writeFile(path.join(folder, "empty.txt"), "\n");
    await writeFile(path.join(folder, "large.txt"), "x".repeat(70_000));
    await writeFile(path.join(folder, "secrets", "BOT_TOKEN"), "from-secrets\r\n");
    await symlink("/dev/zero", path.join(folder, "device"));
  });
  after(() => rm(folder, { recursive: true }));

  function resolver(environment: Readonly<Record<string, string>> = {}, secretsDir?: string | null): ReferenceResolver {
    const secrets = secretsDir === undefined ? path.join(folder, "secrets") : secretsDir;
    return new ReferenceResolver({ environment, baseDir: folder, secretsDir: secrets });
  }

  it("takes what is no reference as it is", async () => {
    assert.deepEqual(await resolver().resolve("xoxb-env:1"), { ok: true, value: "xoxb-env:1" });
    assert.equal(isReference("environment"), false);
  });

  it("reads variables, files beside the config and secrets, without one newline at the end", async () => {
    const one = resolver({ TOKEN: "from-environment" });
    assert.deepEqual(await one.resolve("env:TOKEN"), { ok: true, value: "from-environment" });
    assert.deepEqual(await one.resolve("file:token.txt"), { ok: true, value: "from-file" });
    assert.deepEqual(await one.resolve(`file:${path.join(folder, "two.txt")}`), { ok: true, value: "one\n" });
    assert.deepEqual(await one.resolve("secret:BOT_TOKEN"), { ok: true, value: "from-secrets" });
  });

  const missing: readonly (readonly [string, string])[] = [
    ["env:NONE", "environment variable NONE is not set"],
    ["env:EMPTY", "environment variable EMPTY is empty"],
    ["env:a b", "found env: without a variable name, expected env:NAME"],
    ["file:", 'found "file:", expected a path after it'],
    ["file:none.txt", "file none.txt cannot be read: no such file"],
    ["file:empty.txt", "file empty.txt is empty"],
    ["file:large.txt", "file large.txt has 70000 bytes, expected at most 65536"],
    ["file:secrets", "file secrets is not a file"],
    ["file:device", "file device is not a file"],
    ["secret:NONE", "secret NONE cannot be read: no such file"],
    ["secret:../token.txt", "found secret: without a file name, expected secret:NAME"],
    ["secret:..", "found secret: without a file name, expected secret:NAME"],
  ];
  for (const [text, problem] of missing) {
    it(`says what is missing for ${text}`, async () => {
      assert.deepEqual(await resolver({ EMPTY: "" }).resolve(text), { ok: false, problem });
    });
  }

  it("needs [secrets] dir for a secret", async () => {
    const resolved = await resolver({}, null).resolve("secret:BOT_TOKEN");
    assert.deepEqual(resolved, {
      ok: false,
      problem: "found secret:NAME, expected [secrets] dir to say where secrets are",
    });
  });

  it("does not resolve what a reference stands for again", async () => {
    assert.deepEqual(await resolver({ A: "env:B", B: "x" }).resolve("env:A"), { ok: true, value: "env:B" });
  });

  it("resolves at any depth and collects the values", async () => {
    const found = await resolveDeep(resolver({ A: "1a" }), { list: ["env:A", { deep: "env:NONE" }], n: 1 }, "s");
    assert.deepEqual(found, {
      value: { list: ["1a", { deep: null }], n: 1 },
      secrets: ["1a"],
      issues: [{ path: "s.list[1].deep", message: "environment variable NONE is not set" }],
    });
  });

  it("holds back only the key whose secret is missing, and sees a rotated one at the next load", async () => {
    const text = '[secrets]\ndir = "secrets"\n[messaging.discord]\ntoken = "secret:DISCORD"\n[messaging.webhook]';
    const source = { kind: "text", text, baseDir: folder } as const;
    assert.deepEqual(await invalidOf(text, { source }), {
      discord: ["messaging.discord.token: secret DISCORD cannot be read: no such file"],
    });
    for (const token of ["first-token", "second-token"]) {
      await writeFile(path.join(folder, "secrets", "DISCORD"), token);
      const [discord] = (await configOf(text, { source })).adapters;
      assert.deepEqual([discord?.settings["token"], discord?.secrets], [token, [token]]);
    }
  });
});
