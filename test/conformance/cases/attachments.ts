/** Files that come in, with names nobody should trust and sizes nobody should hold. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GatewayError } from "../../../src/contract/errors.ts";
import type { EmittedMessage } from "../../../src/contract/message.ts";
import { AdapterBench } from "../adapter-bench.ts";
import { either, type ConformanceCase } from "../conformance-case.ts";
import type { EmulatedPlatform } from "../emulated-platform.ts";
import { within } from "../within.ts";

const hostileNames = [
  "../../../../etc/cron.d/evil",
  "..\\..\\windows\\system32\\evil.dll",
  "/absolute/path.txt",
  "null\u0000byte.txt",
  "line\nbreak\r\n.txt",
  "right-to-left-\u202Etxt.exe",
  "<img src=x onerror=alert(1)>.png",
  '"quoted"; rm -rf ~.txt',
  `${"long".repeat(70)}.txt`,
  "żółć 你好 😀.txt",
  ".",
] as const;

/** A message with a hostile name is a message like any other. */
export async function hearsHostileNames(platform: EmulatedPlatform): Promise<void> {
  await using bench = await AdapterBench.start(platform);
  for (const [index, filename] of hostileNames.entries()) {
    const heard = await hearWithFile(bench, `file ${index}`, { filename, bytes: Buffer.from("harmless") });
    const [attachment] = heard.attachments ?? [];
    assert.ok(attachment !== undefined, `the file ${JSON.stringify(filename)} is lost`);
    assert.ok((attachment.filename ?? "file").length > 0);
    assert.ok((attachment.ref ?? "").length <= 1_024, "its reference is over-long");
  }
}

/** The bytes, where the adapter says it can fetch them. */
export async function fetchesAFile(platform: EmulatedPlatform): Promise<void> {
  const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, index) => index % 251));
  await withFile(platform, bytes, async ({ fetch, path, heard }) => {
    assert.equal(heard.attachments?.[0]?.filename, "data.bin");
    const { sizeBytes } = await within(fetch(1_000_000), "the end of a download");
    assert.equal(sizeBytes, bytes.length);
    assert.ok(readFileSync(path).equals(bytes), "what was fetched is not what was sent");
  });
}

/** More than allowed: `too_large`, and nothing is left. */
export async function refusesAFileThatIsTooLarge(platform: EmulatedPlatform): Promise<void> {
  await withFile(platform, Buffer.alloc(300_000, 1), async ({ fetch, path }) => {
    await assert.rejects(within(fetch(100_000), "the end of a download"), (reason: unknown) => {
      assert.equal(GatewayError.from(reason).code, "too_large", String(reason));
      return true;
    });
    assert.ok(!existsSync(path), "a part of a file that is too large is left");
  });
}

/** Written where the gateway says and nowhere else, whatever the file is called. */
export async function writesOnlyWhereItIsTold(platform: EmulatedPlatform): Promise<void> {
  await using bench = await AdapterBench.start(platform);
  for (const [index, filename] of hostileNames.slice(0, 4).entries()) {
    const heard = await hearWithFile(bench, `file ${index}`, { filename, bytes: Buffer.from("harmless") });
    const folder = mkdtempSync(join(tmpdir(), "bulkhead-conformance-"));
    try {
      await within(fetchFirst(bench, heard, join(folder, "told"), 1_000), "the end of a download");
      assert.deepEqual(readdirSync(folder), ["told"]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
}

/** What cannot be a reference of its own. */
export async function refusesAForeignReference(platform: EmulatedPlatform): Promise<void> {
  await withFile(platform, Buffer.from("x"), async ({ bench, path }) => {
    const { running } = bench;
    for (const ref of ["", "nothing-like-it", "../../etc/passwd", "http://127.0.0.1:9/x", "file:///etc/passwd"]) {
      const request = { ref, path, maxBytes: 1_000, signal: AbortSignal.timeout(10_000) };
      await assert.rejects(async () => running.attachment?.(request), `${ref} is fetched`);
      assert.ok(!existsSync(path), `${ref} left a file`);
    }
  });
}

type FileAttempt = {
  readonly bench: AdapterBench;
  readonly heard: EmittedMessage;
  /** Where it is to be written: not there yet. */
  readonly path: string;
  readonly fetch: (maxBytes: number) => Promise<{ readonly sizeBytes: number }>;
};

async function withFile(
  platform: EmulatedPlatform,
  bytes: Uint8Array,
  run: (attempt: FileAttempt) => Promise<void>,
): Promise<void> {
  await using bench = await AdapterBench.start(platform);
  const heard = await hearWithFile(bench, "here is a file", { filename: "data.bin", bytes });
  const folder = mkdtempSync(join(tmpdir(), "bulkhead-conformance-"));
  const path = join(folder, "fetched");
  try {
    await run({ bench, heard, path, fetch: (maxBytes) => fetchFirst(bench, heard, path, maxBytes) });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function hearWithFile(
  bench: AdapterBench,
  text: string,
  file: { readonly filename: string; readonly bytes: Uint8Array },
): Promise<EmittedMessage> {
  await bench.platform.say({ text, attachments: [{ ...file, mimeType: "application/octet-stream" }] });
  return bench.ledger.acceptedText(text);
}

async function fetchFirst(
  bench: AdapterBench,
  heard: EmittedMessage,
  path: string,
  maxBytes: number,
): Promise<{ readonly sizeBytes: number }> {
  const ref = heard.attachments?.[0]?.ref ?? null;
  const { running } = bench;
  assert.ok(ref !== null, "the attachment has no reference to fetch it by");
  assert.ok(running.attachment !== undefined, "the adapter gives references and fetches none");
  return running.attachment({ ref, path, maxBytes, signal: AbortSignal.timeout(30_000) });
}

function withoutAttachments({ traits }: EmulatedPlatform): string | null {
  return traits.attachments === "none" ? "it has no attachments" : null;
}

function withoutBytes({ traits }: EmulatedPlatform): string | null {
  return traits.attachments === "url" ? "its attachments are addresses, passed on unfetched" : null;
}

/** See each. */
export const attachmentCases: readonly ConformanceCase[] = [
  { title: "hears of files with hostile names", unless: withoutAttachments, run: hearsHostileNames },
  { title: "fetches a file", unless: either(withoutAttachments, withoutBytes), run: fetchesAFile },
  {
    title: "refuses a file that is too large",
    unless: either(withoutAttachments, withoutBytes),
    run: refusesAFileThatIsTooLarge,
  },
  {
    title: "writes a file where it is told, whatever its name",
    unless: either(withoutAttachments, withoutBytes),
    run: writesOnlyWhereItIsTold,
  },
  {
    title: "fetches nothing but its own references",
    unless: either(withoutAttachments, withoutBytes),
    run: refusesAForeignReference,
  },
];
