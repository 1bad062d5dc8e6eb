import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { GatewayError } from "../../../src/contract/errors.ts";
import { MimeReader } from "../../../workers/email/mime-reader.ts";
import type { ReadMailTask } from "../../../workers/email/read-mail.ts";
import { hostileMails } from "./hostile-mails.ts";

function task(source: string | Buffer): ReadMailTask {
  return { mail: { kind: "whole", source: Buffer.from(source as string) }, maxTextBytes: 262_144 };
}

const hello = task("From: a@b.c\r\n\r\nhello");

async function refused(read: Promise<unknown>): Promise<GatewayError> {
  const error = await read.then(
    () => null,
    (reason: unknown) => GatewayError.from(reason),
  );
  assert.ok(error !== null, "it was read");
  return error;
}

/** A thread that does as the test says instead of reading. */
async function withThread(code: string, run: (filename: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "bulkhead-mime-"));
  try {
    const path = join(folder, "worker.mjs");
    writeFileSync(path, code);
    await run(pathToFileURL(path).href);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe("MimeReader", () => {
  it("reads mails one after the other", async () => {
    await using reader = new MimeReader();
    const mails = await Promise.all([reader.read(hello), reader.read(hello), reader.read(hello)]);
    assert.deepEqual(
      mails.map(({ text }) => text),
      ["hello", "hello", "hello"],
    );
  });

  it("ends a mail that takes too long, in native code or not, and reads the next one", async () => {
    const code = `export default ({ mail }) => {
      const text = Buffer.from(mail.source).toString();
      if (text.includes("spin")) for (;;) {}
      if (text.includes("match")) /^(a+)+$/.test("a".repeat(40) + "!");
      return { text };
    };`;
    await withThread(code, async (filename) => {
      await using reader = new MimeReader({ filename, deadlineMs: 300 });
      for (const what of ["spin", "match"]) {
        const error = await refused(reader.read(task(what)));
        assert.equal(error.code, "message_rejected");
        assert.match(error.message, /longer than 300 ms/u);
      }
    });
    await withThread(code, async (filename) => {
      await using reader = new MimeReader({ filename, deadlineMs: 10_000 });
      assert.equal((await reader.read(task("hello"))).text, "hello");
    });
  });

  it("reads the one that waits behind a mail which ends its thread, in its own time", async () => {
    const code = `export default ({ mail }) => {
      const text = Buffer.from(mail.source).toString();
      if (text === "spin") for (;;) {}
      if (text === "heap") { const all = []; for (;;) all.push(Array.from({ length: 1000 }, () => ({}))); }
      return { text };
    };`;
    await withThread(code, async (filename) => {
      await using reader = new MimeReader({ filename, deadlineMs: 5_000 });
      for (const what of ["spin", "heap"]) {
        const [hostile, good] = [refused(reader.read(task(what))), reader.read(task("hello"))];
        assert.equal((await hostile).code, "message_rejected");
        assert.equal((await good).text, "hello");
      }
    });
  });

  it("survives a thread that exits, fills its heap or cannot be loaded", async () => {
    const code = `export default ({ mail }) => {
      const text = Buffer.from(mail.source).toString();
      if (text === "exit") process.exit(3);
      if (text === "heap") { const all = []; for (;;) all.push(Array.from({ length: 1000 }, () => ({}))); }
      return { text };
    };`;
    await withThread(code, async (filename) => {
      await using reader = new MimeReader({ filename });
      for (const what of ["exit", "heap"])
        assert.equal((await refused(reader.read(task(what)))).code, "message_rejected");
      assert.equal((await reader.read(task("hello"))).text, "hello");
    });
    await withThread("throw new Error('broken')", async (filename) => {
      await using reader = new MimeReader({ filename });
      assert.match((await refused(reader.read(hello))).message, /broken/u);
    });
  });

  it("gives up what it reads when it is disposed", async () => {
    await withThread("export default () => { for (;;) {} };", async (filename) => {
      const reader = new MimeReader({ filename });
      const read = refused(reader.read(hello));
      await reader[Symbol.asyncDispose]();
      assert.equal((await read).code, "message_rejected");
    });
  });

  for (const [what, source] of Object.entries(hostileMails()))
    it(`reads or refuses ${what}, and then the next one`, async () => {
      await using reader = new MimeReader();
      const mail = await reader.read(task(source)).catch((reason: unknown) => {
        const error = GatewayError.from(reason);
        assert.equal(error.code, "message_rejected");
        assert.doesNotMatch(error.message, /longer than/u);
        return null;
      });
      if (mail !== null) assert.ok(JSON.stringify(mail).length < 1_000_000);
      assert.equal((await reader.read(hello)).text, "hello");
    });
});
