import { describe, it } from "node:test";
import assert from "node:assert/strict";
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { adminTokenPath, ensureAdminToken, readAdminToken } from "../../src/admin/token.ts";

async function stateDir(): Promise<AsyncDisposable & { readonly path: string }> {
  const directory = await mkdtemp(path.join(tmpdir(), "bulkhead-token-"));
  return { path: directory, [Symbol.asyncDispose]: () => rm(directory, { recursive: true }) };
}

describe("ensureAdminToken()", () => {
  it("makes 32 random bytes that only the owner may read, once", async () => {
    await using directory = await stateDir();
    const token = await ensureAdminToken(directory.path);
    assert.equal(Buffer.from(token, "base64url").length, 32);
    assert.equal((await stat(adminTokenPath(directory.path))).mode & 0o777, 0o600);
    assert.equal(await ensureAdminToken(directory.path), token);
    assert.equal(await readAdminToken(directory.path), token);
  });

  it("makes the state directory for its owner only", async () => {
    await using directory = await stateDir();
    const nested = path.join(directory.path, "data");
    await ensureAdminToken(nested);
    assert.equal((await stat(nested)).mode & 0o777, 0o700);
  });

  it("takes away the right of others to read an existing token", async () => {
    await using directory = await stateDir();
    const token = await ensureAdminToken(directory.path);
    await chmod(adminTokenPath(directory.path), 0o644);
    assert.equal(await ensureAdminToken(directory.path), token);
    assert.equal((await stat(adminTokenPath(directory.path))).mode & 0o777, 0o600);
  });

  it("replaces a token that is not whole", async () => {
    await using directory = await stateDir();
    await writeFile(adminTokenPath(directory.path), "half");
    assert.equal(await readAdminToken(directory.path), null);
    const token = await ensureAdminToken(directory.path);
    assert.equal((await readFile(adminTokenPath(directory.path), "utf8")).trim(), token);
  });
});

describe("readAdminToken()", () => {
  it("finds none where no gateway was started", async () => {
    assert.equal(await readAdminToken("/nonexistent/bulkhead"), null);
  });
});
