/** Which config file a command is about. */
import { existsSync } from "node:fs";
import path from "node:path";
import { CommandError, exitCodes, type ConfigSource } from "./context.ts";

const defaultName = "bulkhead.toml";

/**
 * The named file, else `./bulkhead.toml`, else the embedded default of `directory`.
 * @throws {CommandError} usage, when the named file does not exist.
 */
export function findConfig(named: string | undefined, directory: string = process.cwd()): ConfigSource {
  if (named !== undefined) {
    const file = path.resolve(directory, named);
    if (!existsSync(file))
      throw new CommandError(exitCodes.usage, `Cannot read config ${named}: the file does not exist`);
    return { kind: "file", path: file };
  }
  const file = path.join(directory, defaultName);
  return existsSync(file) ? { kind: "file", path: file } : { kind: "embedded", baseDir: directory };
}

/** Where a config is to be written: the named file, else `./bulkhead.toml`. */
export function newConfig(named: string | undefined, directory: string = process.cwd()): ConfigSource {
  return { kind: "file", path: path.resolve(directory, named ?? defaultName) };
}

/** Whether `./bulkhead.toml` exists. */
export function hasDefaultConfig(directory: string = process.cwd()): boolean {
  return existsSync(path.join(directory, defaultName));
}

/** For people: the file's name as short as it can be said from `directory`. */
export function nameConfig(source: ConfigSource, directory: string = process.cwd()): string {
  if (source.kind === "embedded") return "embedded default";
  const relative = path.relative(directory, source.path);
  return relative.startsWith("..") ? source.path : relative;
}
