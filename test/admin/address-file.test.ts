import { describe, it } from "node:test";
import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { adminAddressPath, publishAdminAddress, readAdminAddress } from "../../src/admin/address-file.ts";

async function stateDir(): Promise<AsyncDisposable & { readonly path: string }> {
  const directory = await mkdtemp(path.join(tmpdir(), "bulkhead-address-"));
  return { path: directory, [Symbol.asyncDispose]: () => rm(directory, { recursive: true }) };
}

describe("publishAdminAddress()", () => {
  it("says where the gateway listens until it is disposed, once or twice", async () => {
    await using directory = await stateDir();
    const published = await publishAdminAddress(directory.path, "127.0.0.1:43127");
    assert.equal(await readAdminAddress(directory.path), "127.0.0.1:43127");
    assert.equal((await stat(adminAddressPath(directory.path))).mode & 0o777, 0o600);
    await published[Symbol.asyncDispose]();
    await published[Symbol.asyncDispose]();
    assert.equal(await readAdminAddress(directory.path), null);
  });

  it("replaces what a killed gateway left, and leaves nothing else behind", async () => {
    await using directory = await stateDir();
    await publishAdminAddress(directory.path, "127.0.0.1:1");
    await publishAdminAddress(directory.path, "unix:/run/admin.sock");
    assert.equal(await readAdminAddress(directory.path), "unix:/run/admin.sock");
    assert.deepEqual(await readdir(directory.path), ["admin.address"]);
  });
});

describe("readAdminAddress()", () => {
  it("finds none where no gateway was started", async () => {
    assert.equal(await readAdminAddress("/nonexistent/bulkhead"), null);
  });
});
