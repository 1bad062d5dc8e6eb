import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { StoredToken } from "../../src/contract/adapter.ts";
import { GatewayError } from "../../src/contract/errors.ts";
import type { TokenFile } from "../../src/tokens/token-files.ts";
import type { Holder } from "../../src/tokens/token-locks.ts";
import { TokenVault } from "../../src/tokens/token-vault.ts";
import { RecordingLogger } from "../support/recording-logger.ts";

const token: StoredToken = { accessToken: "fresh-access", refreshToken: "fresh-refresh", expiresAt: null };
const first: Holder = { key: "twitch", generation: 1 };
const next: Holder = { key: "twitch", generation: 2 };

/** A vault over a disk in memory. `happened`: what was learnt and written, in order. */
function vaultFixture() {
  const disk = new Map<string, TokenFile>();
  const happened: string[] = [];
  const dead = new Set<number>();
  const logger = new RecordingLogger();
  const state = { gate: null as Promise<void> | null, failure: null as GatewayError | null, failsToWrite: false };
  const vault = new TokenVault({
    files: {
      async read(key) {
        if (state.failure !== null) throw state.failure;
        return disk.get(key) ?? null;
      },
      async write(key, _keys, file) {
        await state.gate;
        if (state.failure !== null) throw state.failure;
        if (state.failsToWrite) throw new GatewayError("internal", "no space left");
        happened.push(`write ${file.token.accessToken}`);
        disk.set(key, file);
      },
      async remove(key) {
        await state.gate;
        happened.push(`remove ${key}`);
        disk.delete(key);
      },
    },
    credentialOf: () => "credential",
    digest: (text) => `keyed:${text}`,
    isLive: ({ generation }) => !dead.has(generation),
    learn: (_key, secrets) => happened.push(`learn ${secrets.join(" ")}`),
    logger,
  });
  vault.configure(new Set(["twitch", "twitch:other"]));
  return { vault, disk, happened, dead, logger, state };
}

function stored(configured: string | null, createdAt = "2026-01-01T00:00:00.000Z"): TokenFile {
  return { token: { ...token, accessToken: "stored-access" }, createdAt, configured };
}

describe("TokenVault", () => {
  it("answers a lock with what an earlier life stored for the same configured credential", async () => {
    const { vault, disk, happened } = vaultFixture();
    disk.set("twitch", stored("keyed:configured"));
    const { value } = await vault.lock(first, { configured: "configured" });
    assert.equal(value?.accessToken, "stored-access");
    assert.deepEqual(happened, ["learn stored-access fresh-refresh"]);
  });

  it("lets a changed config win over what is stored", async () => {
    const { vault, disk } = vaultFixture();
    disk.set("twitch", stored("keyed:configured"));
    assert.deepEqual(await vault.lock(first, { configured: "another" }), { value: null });
    await vault.store(first, { token });
    assert.equal(disk.get("twitch")?.configured, "keyed:another");
  });

  it("takes over an older program's token, and keeps from then on what it stands for", async () => {
    const { vault, disk } = vaultFixture();
    disk.set("twitch", stored(null));
    const { value } = await vault.lock(first, { configured: "configured" });
    assert.equal(value?.accessToken, "stored-access");
    assert.equal(disk.get("twitch")?.configured, "keyed:configured");
    vault.unlock(first);
    assert.deepEqual(await vault.lock(first, { configured: "another" }), { value: null });
  });

  it("has a new token known as a secret before it is written, and written before it is used", async () => {
    const { vault, happened, state } = vaultFixture();
    const gate = Promise.withResolvers<void>();
    state.gate = gate.promise;
    await vault.lock(first, { configured: "c" });
    const storing = vault.store(first, { token }).then(() => happened.push("used"));
    assert.deepEqual(happened, ["learn fresh-access fresh-refresh"]);
    gate.resolve();
    await storing;
    assert.deepEqual(happened, ["learn fresh-access fresh-refresh", "write fresh-access", "used"]);
  });

  it("shows the next life what the one before stored, when that gives the lock back or dies", async () => {
    const { vault, dead } = vaultFixture();
    await vault.lock(first, { configured: "c" });
    const waiting = vault.lock(next, { configured: "c" });
    await vault.store(first, { token });
    dead.add(1);
    vault.generationsChanged();
    assert.deepEqual(await waiting, { value: token });
    await assert.rejects(vault.store(first, { token }), { code: "conflict" });
    await vault.store(next, { token: { ...token, refreshToken: null } });
  });

  it("shows another adapter with the same credential what was stored for it", async () => {
    const { vault, disk } = vaultFixture();
    const other: Holder = { key: "twitch:other", generation: 3 };
    disk.set("twitch:other", stored("keyed:c"));
    await vault.lock(first, { configured: "c" });
    await vault.store(first, { token });
    vault.unlock(first);
    assert.deepEqual(await vault.lock(other, { configured: "c" }), { value: token });
  });

  it("stores for nobody without the lock, and nothing that is no token", async () => {
    const { vault, happened } = vaultFixture();
    await assert.rejects(vault.store(first, { token }), { code: "conflict" });
    await vault.lock(first, { configured: "c" });
    for (const wrong of [
      null,
      {},
      { token: null },
      { token: { ...token, accessToken: "" } },
      { token: { ...token, expiresAt: "soon" } },
    ])
      await assert.rejects(vault.store(first, wrong), { code: "invalid_request" });
    assert.deepEqual(happened, []);
    await assert.rejects(vault.lock(next, { configured: 7 }), { code: "invalid_request" });
  });

  it("tells who stores that it could not be written, and the next one may try", async () => {
    const { vault, state } = vaultFixture();
    await vault.lock(first, { configured: "c" });
    state.failure = new GatewayError("internal", "Cannot store the token file: ENOSPC");
    await assert.rejects(vault.store(first, { token }), /ENOSPC/u);
    state.failure = null;
    await vault.store(first, { token });
  });

  it("gives the next life a token that could not be written: the one on disk may be spent", async () => {
    const { vault, disk, state, dead } = vaultFixture();
    disk.set("twitch", stored("keyed:configured"));
    await vault.lock(first, { configured: "configured" });
    state.failure = new GatewayError("internal", "no space left");
    await assert.rejects(vault.store(first, { token }));
    state.failure = null;
    dead.add(1);
    vault.generationsChanged();
    assert.deepEqual((await vault.lock(next, { configured: "configured" })).value, token);
  });

  it("takes what was stored in this life for the newest, wherever the clock was put", async () => {
    const { vault, disk } = vaultFixture();
    disk.set("twitch:other", stored("keyed:configured", "2999-01-01T00:00:00.000Z"));
    await vault.lock(first, { configured: "configured" });
    await vault.store(first, { token });
    vault.unlock(first);
    const other = { key: "twitch:other", generation: 3 };
    assert.deepEqual((await vault.lock(other, { configured: "configured" })).value, token);
  });

  it("uses an older program's token though it cannot be written anew, and says so", async () => {
    const { vault, disk, state, logger } = vaultFixture();
    disk.set("twitch", stored(null));
    state.failsToWrite = true;
    const { value } = await vault.lock(first, { configured: "configured" });
    assert.equal(value?.accessToken, "stored-access");
    assert.equal(logger.records.filter(({ event }) => event === "token-file-not-adopted").length, 1);
  });

  it("goes on with the configured credential where a file cannot be read, and says so", async () => {
    const { vault, state, logger } = vaultFixture();
    state.failure = new GatewayError("internal", "Cannot read the token file: EACCES");
    assert.deepEqual(await vault.lock(first, { configured: "c" }), { value: null });
    assert.deepEqual(
      logger.records.map(({ event }) => event),
      ["token-file-unreadable"],
    );
  });

  it("forgets an adapter that left the config, also when that still has a token to store", async () => {
    const { vault, disk, state } = vaultFixture();
    disk.set("twitch", stored("keyed:c"));
    const gate = Promise.withResolvers<void>();
    state.gate = gate.promise;
    await vault.lock(first, { configured: "c" });
    vault.configure(new Set(["twitch:other"]));
    const late = vault.store(first, { token });
    gate.resolve();
    await assert.rejects(late, { code: "adapter_unavailable" });
    await vault[Symbol.asyncDispose]();
    assert.deepEqual([...disk.keys()], []);
  });

  it("keeps the token of what comes back, or was there all along", async () => {
    const { vault, happened } = vaultFixture();
    vault.configure(new Set(["twitch", "twitch:other", "twitch:third"]));
    vault.configure(new Set(["twitch"]));
    vault.configure(new Set(["twitch", "twitch:other"]));
    await vault.lock({ key: "twitch:other", generation: 1 }, { configured: "c" });
    await vault.store({ key: "twitch:other", generation: 1 }, { token });
    assert.deepEqual(
      happened.filter((each) => each.startsWith("remove")),
      ["remove twitch:other", "remove twitch:third"],
    );
  });
});
