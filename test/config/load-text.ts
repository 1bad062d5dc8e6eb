/** A config written in the test, loaded. */
import assert from "node:assert/strict";
import { loadConfig, type LoadOptions } from "../../src/config/load.ts";
import type { AdapterConfig, Config, LoadResult } from "../../src/contract/config.ts";

/** Paths of the loaded texts are relative to it. */
export const baseDir = import.meta.dirname;

/** Loads `text` with an empty environment. */
export function loadText(text: string, options: Partial<LoadOptions> = {}): Promise<LoadResult> {
  return loadConfig({ source: { kind: "text", text, baseDir }, environment: {}, ...options });
}

/** The config of a text that is right as a whole. */
export async function configOf(text: string, options: Partial<LoadOptions> = {}): Promise<Config> {
  const result = await loadText(text, options);
  assert.ok(result.ok, JSON.stringify(result));
  return result.config;
}

/** The one adapter that `text` configures rightly. */
export async function adapterOf(text: string, options: Partial<LoadOptions> = {}): Promise<AdapterConfig> {
  const { adapters, invalid } = await configOf(text, options);
  const [adapter] = adapters;
  assert.ok(adapter !== undefined && adapters.length === 1, JSON.stringify(invalid));
  return adapter;
}

/** `LINE PATH: MESSAGE` of everything that stops the whole config. */
export async function errorsOf(text: string, options: Partial<LoadOptions> = {}): Promise<readonly string[]> {
  const result = await loadText(text, options);
  assert.ok(!result.ok);
  return result.errors.map((error) => `${error.line} ${error.path}: ${error.message}`);
}

/** `PATH: MESSAGE` of each key that is held back. */
export async function invalidOf(
  text: string,
  options: Partial<LoadOptions> = {},
): Promise<Readonly<Record<string, readonly string[]>>> {
  const { invalid } = await configOf(text, options);
  return Object.fromEntries(
    invalid.map(({ key, errors }) => [key, errors.map((error) => `${error.path}: ${error.message}`)]),
  );
}
