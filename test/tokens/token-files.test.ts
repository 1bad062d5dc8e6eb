import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { tokenFileName } from "../../src/tokens/token-file-names.ts";
import { TokenFiles, type TokenFile } from "../../src/tokens/token-files.ts";

const key = "twitch:my bot";
const keys: ReadonlySet<string> = new Set([key]);
const file: TokenFile = {
  token: { accessToken: "access-1", refreshToken: "refresh-1", expiresAt: "2026-01-01T04:00:00.000Z" },
  createdAt: "2026-01-01T00:00:00.000Z",
  configured: "hash",
};
/** As an older program writes it. */
const legacy = JSON.stringify({
  access_token: "old-access",
  refresh_token: "old-refresh",
  created_at: "2025-01-01T00:00:00Z",
  expires_at: null,
});

let directory = "";
let files = new TokenFiles(directory);

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "bulkhead-tokens-"));
  files = new TokenFiles(directory);
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function put(name: string, text: string, atSeconds = 1_700_000_000): void {
  writeFileSync(join(directory, name), text);
  utimesSync(join(directory, name), atSeconds, atSeconds);
}

describe("TokenFiles", () => {
  it("gives back what was stored, from a file for nobody else to read", async () => {
    assert.equal(await files.read(key, keys), null);
    await files.write(key, keys, file);
    assert.deepEqual(await files.read(key, keys), file);
    assert.equal(statSync(join(directory, tokenFileName(key))).mode & 0o777, 0o600);
    await files.write(key, keys, { ...file, token: { ...file.token, refreshToken: null, expiresAt: null } });
    assert.equal((await files.read(key, keys))?.token.refreshToken, null);
    assert.deepEqual(readdirSync(directory), [tokenFileName(key)]);
  });

  it("takes no half-written file for one, whatever rights that has", async () => {
    put(`${tokenFileName(key)}.new`, '{"access_token": "hal');
    assert.equal(await files.read(key, keys), null);
    await files.write(key, keys, file);
    assert.deepEqual(readdirSync(directory), [tokenFileName(key)]);
    assert.equal(statSync(join(directory, tokenFileName(key))).mode & 0o777, 0o600);
  });

  it("finds a token under each older name, and has the present name alone once it is stored again", async () => {
    for (const name of ["twitch_token_my_bot.json", "twitch_token_my_bot_0123456789abcdef.json"]) {
      put(name, legacy);
      const found = await files.read(key, keys);
      assert.deepEqual(found, {
        token: { accessToken: "old-access", refreshToken: "old-refresh", expiresAt: null },
        createdAt: "2025-01-01T00:00:00Z",
        configured: null,
      });
      await files.write(key, keys, { ...found, configured: "hash" });
      assert.deepEqual(readdirSync(directory), [tokenFileName(key)]);
      await files.remove(key, keys);
    }
  });

  it("takes the newest of several older ones, and the present one before any", async () => {
    put("twitch_token_my_bot.json", legacy.replace("old-access", "older"), 1_600_000_000);
    put("twitch_token_my_bot_0123456789abcdef.json", legacy, 1_700_000_000);
    assert.equal((await files.read(key, keys))?.token.accessToken, "old-access");
    put(tokenFileName(key), JSON.stringify({ access_token: "present" }), 1_500_000_000);
    assert.equal((await files.read(key, keys))?.token.accessToken, "present");
  });

  it("removes a key's file under all of its names, and nobody else's", async () => {
    const other = "twitch:other";
    await files.write(key, keys, file);
    await files.write(other, new Set([key, other]), file);
    put("twitch_token_my_bot.json", legacy);
    put("twitch_token_my_bot_0123456789abcdef.json", legacy);
    await files.remove(key, new Set([other]));
    assert.deepEqual(readdirSync(directory), [tokenFileName(other)]);
    await files.remove(key, new Set([other]));
  });

  it("refuses what is no token, without a word of it", async () => {
    const bad = ["", "null", '"secret-7"', '{"access_token": "", "x": "secret-7"}', '{"access_token": 7}', "secret-7"];
    for (const text of [...bad, `{"access_token": "${"s".repeat(70_000)}"}`]) {
      put(tokenFileName("twitch"), text);
      await assert.rejects(files.read("twitch", keys), (reason: Error) => {
        assert.match(reason.message, /^Cannot read the token file .*twitch_token\.json: /u);
        assert.doesNotMatch(`${reason.message} ${String(reason.cause)}`, /secret-7/u);
        return true;
      });
    }
  });

  it("says why a token could not be stored, and leaves the one before as it is", async () => {
    await files.write(key, keys, file);
    const before = readFileSync(join(directory, tokenFileName(key)), "utf8");
    const nowhere = new TokenFiles(join(directory, "nowhere"));
    await assert.rejects(nowhere.write(key, keys, file), { code: "internal", message: /ENOENT/u });
    assert.equal(readFileSync(join(directory, tokenFileName(key)), "utf8"), before);
  });
});
