/** Where a config comes from, as one plain value with a way to find its lines. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { parse } from "smol-toml";
import type { ConfigIssue } from "../contract/spec.ts";
import { embeddedConfig } from "./embedded.ts";
import { indexLines, type LineLookup } from "./line-index.ts";
import { plainValue, type Table } from "./plain-value.ts";
import { systemErrorText } from "./references.ts";

/** A file; the text of one (a plan of something not saved yet); a value from code; or what runs without any. */
export type ConfigSource =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "text"; readonly text: string; readonly baseDir: string }
  | { readonly kind: "object"; readonly value: unknown; readonly baseDir: string }
  | { readonly kind: "embedded"; readonly baseDir: string };

/** A document, or why there is none. `baseDir`: what its paths are relative to, absolute. */
export type ReadSource =
  | { readonly ok: true; readonly value: unknown; readonly baseDir: string; readonly lineOf: LineLookup }
  | { readonly ok: false; readonly errors: readonly ConfigIssue[] };

/** Reads and parses `source`; rejects with nothing but the signal's reason. */
export async function readSource(source: ConfigSource, signal?: AbortSignal): Promise<ReadSource> {
  if (source.kind === "file") return readConfigFile(path.resolve(source.path), signal);
  const baseDir = path.resolve(source.baseDir);
  if (source.kind === "text") return parseText(source.text, baseDir);
  return fromValue(source.kind === "embedded" ? embeddedConfig : source.value, baseDir, () => null);
}

async function readConfigFile(file: string, signal?: AbortSignal): Promise<ReadSource> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file, signal === undefined ? {} : { signal });
  } catch (reason) {
    signal?.throwIfAborted();
    return failed(`Cannot read ${file}: ${systemErrorText(reason)}`);
  }
  // What a save that is under way looks like, and it would stop every adapter.
  if (bytes.length === 0) return failed(`Cannot read ${file}: found an empty file, expected a config`);
  try {
    return parseText(new TextDecoder("utf-8", { fatal: true }).decode(bytes), path.dirname(file));
  } catch {
    // The decoder's own words say less.
    return failed(`Cannot read ${file}: found bytes that are not UTF-8`);
  }
}

function parseText(text: string, baseDir: string): ReadSource {
  const content = text.replace(/^\uFEFF/u, "");
  let document: Table;
  try {
    document = parse(content, { integersAsBigInt: "asNeeded", unsafeKeyBehaviour: "throw" });
  } catch (reason) {
    return failed(syntaxMessage(reason), lineOfError(reason));
  }
  return fromValue(document, baseDir, indexLines(content));
}

function fromValue(value: unknown, baseDir: string, lineOf: LineLookup): ReadSource {
  const plain = plainValue(value);
  if (plain.issues.length === 0) return { ok: true, value: plain.value, baseDir, lineOf };
  return { ok: false, errors: plain.issues.map((issue) => ({ ...issue, line: lineOf(issue.path) })) };
}

function failed(message: string, line: number | null = null): ReadSource {
  return { ok: false, errors: [{ path: "", message, line }] };
}

/** The parser's first line only: below it stand lines of the file, which may hold secrets. */
function syntaxMessage(reason: unknown): string {
  const [first = ""] = (reason instanceof Error ? reason.message : String(reason)).split("\n");
  return `Cannot parse the config: ${first.replace(/^Invalid TOML document: /u, "")}`;
}

function lineOfError(reason: unknown): number | null {
  const line: unknown = reason instanceof Error && "line" in reason ? reason.line : null;
  return typeof line === "number" ? line : null;
}
