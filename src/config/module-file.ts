/** A module that a config names: where it is and what is in it. */
import { readFile, realpath } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { systemErrorText } from "./references.ts";

/** A module's file URL with the SHA-256 (hex) of its bytes, or why there is none. */
export type ModuleFile =
  | { readonly ok: true; readonly moduleUrl: string; readonly moduleHash: string }
  | { readonly ok: false; readonly problem: string };

/** Reads the module `name`, a path relative to `baseDir`; what it imports is not looked at. */
export async function readModuleFile(name: string, baseDir: string, signal?: AbortSignal): Promise<ModuleFile> {
  const file = path.resolve(baseDir, name);
  try {
    const bytes = await readFile(file, signal === undefined ? {} : { signal });
    // By no link, as Node names it itself: a confined host may not be able to follow one.
    const moduleUrl = pathToFileURL(await realpath(file)).href;
    // The asynchronous digest: the coordinator's loop computes none itself.
    const digest = await crypto.subtle.digest("SHA-256", new Uint8Array(bytes));
    return { ok: true, moduleUrl, moduleHash: Buffer.from(digest).toString("hex") };
  } catch (reason) {
    signal?.throwIfAborted();
    return { ok: false, problem: `module ${file} cannot be read: ${systemErrorText(reason)}` };
  }
}
