import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { GatewayError } from "../../src/contract/errors.ts";
import { AttachmentFiles } from "../../src/outbound/attachment-files.ts";
import { silentLogger } from "../support/silent-logger.ts";
import { turns } from "../support/turns.ts";

type Args = { readonly ref: string; readonly path: string; readonly maxBytes: number };

function stateDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "bulkhead-attachments-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

function openFiles(directory: string, fetch: (args: Args) => Promise<unknown>): Promise<AttachmentFiles> {
  const adapters = { call: (_key: string, _method: string, args: object) => fetch(args as Args) };
  return AttachmentFiles.open(directory, { adapters, logger: silentLogger });
}

describe("AttachmentFiles", () => {
  it("has the adapter write the file down and tells where it is", async (t) => {
    const asked: Args[] = [];
    await using files = await openFiles(stateDirectory(t), async (args) => {
      asked.push(args);
      writeFileSync(args.path, "the bytes");
    });
    const { path } = await files.fetch({ key: "slack", ref: "F1", maxBytes: null });
    assert.equal(await readFile(path, "utf8"), "the bytes");
    assert.deepEqual(asked, [{ ref: "F1", path, maxBytes: 26_214_400 }]);
  });

  it("never asks for more than 25 MiB", async (t) => {
    const asked: number[] = [];
    await using files = await openFiles(stateDirectory(t), async ({ maxBytes }) => void asked.push(maxBytes));
    for (const maxBytes of [10, 1e12]) await files.fetch({ key: "slack", ref: "F1", maxBytes });
    assert.deepEqual(asked, [10, 26_214_400]);
  });

  it("removes what a failed fetch left and says why it failed", async (t) => {
    const directory = stateDirectory(t);
    await using files = await openFiles(directory, async ({ path }) => {
      writeFileSync(path, "half");
      throw new GatewayError("too_large", "Cannot fetch it: 30 MB, at most 25");
    });
    await assert.rejects(files.fetch({ key: "slack", ref: "F1", maxBytes: null }), { code: "too_large" });
    assert.deepEqual(readdirSync(join(directory, "attachments")), []);
  });

  it("lets 32 fetches be under way and refuses the next", async (t) => {
    const held = Promise.withResolvers<void>();
    await using files = await openFiles(stateDirectory(t), () => held.promise);
    const underWay = Array.from({ length: 32 }, () => files.fetch({ key: "slack", ref: "F1", maxBytes: null }));
    await assert.rejects(files.fetch({ key: "slack", ref: "F1", maxBytes: null }), { code: "queue_full" });
    held.resolve();
    await Promise.all(underWay);
    await files.fetch({ key: "slack", ref: "F1", maxBytes: null });
  });

  it("begins and ends without a file of anyone's, in a directory for its owner alone", async (t) => {
    const directory = stateDirectory(t);
    mkdirSync(join(directory, "attachments"));
    writeFileSync(join(directory, "attachments", "left-behind"), "");
    const files = await openFiles(directory, async ({ path }) => writeFileSync(path, "unread"));
    assert.deepEqual(readdirSync(join(directory, "attachments")), []);
    assert.equal(statSync(join(directory, "attachments")).mode & 0o777, 0o700);
    await files.fetch({ key: "slack", ref: "F1", maxBytes: null });
    await files[Symbol.asyncDispose]();
    assert.deepEqual(readdirSync(directory), []);
  });

  it("sweeps what nobody fetched within five minutes", async (t) => {
    t.mock.timers.enable({ apis: ["setInterval"] });
    const directory = stateDirectory(t);
    await using files = await openFiles(directory, async ({ path }) => writeFileSync(path, "unread"));
    const [old, fresh] = [
      await files.fetch({ key: "slack", ref: "F1", maxBytes: null }),
      await files.fetch({ key: "slack", ref: "F2", maxBytes: null }),
    ];
    const longAgo = new Date(Date.now() - 301_000);
    utimesSync(old.path, longAgo, longAgo);
    t.mock.timers.tick(60_000);
    const left = (): readonly string[] => readdirSync(join(directory, "attachments"));
    while (left().length > 1) await turns();
    assert.deepEqual(
      left().map((name) => join(directory, "attachments", name)),
      [fresh.path],
    );
  });
});
