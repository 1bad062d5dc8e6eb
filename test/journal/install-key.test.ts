import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { ensureInstallKey } from "../../src/journal/install-key.ts";

let directory = "";

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "bulkhead-key-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe("ensureInstallKey()", () => {
  it("makes a private key once", async () => {
    const key = await ensureInstallKey(directory);
    assert.equal(key.length, 32);
    assert.deepEqual(await ensureInstallKey(directory), key);
    assert.equal(statSync(join(directory, "install.key")).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(directory), ["install.key"]);
  });

  it("refuses a file that is no key, without replacing it", async () => {
    writeFileSync(join(directory, "install.key"), "short");
    await assert.rejects(ensureInstallKey(directory), {
      code: "config_invalid",
      message: /it has 5 bytes, expected 32/,
    });
    assert.equal(statSync(join(directory, "install.key")).size, 5);
  });
});
