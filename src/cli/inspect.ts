/** `bulkhead heap-snapshot` and `cpu-profile`: one adapter's, as a file for the browser's developer tools. */
import { open, rm, type FileHandle } from "node:fs/promises";
import { resolve } from "node:path";
import { errnoOf } from "../support/errno.ts";
import { CommandError, exitCodes, type CommandContext } from "./context.ts";

/** Longer than the gateway itself tries. */
const snapshotTimeoutMs = 180_000;
const spareMs = 60_000;

/** What to take. `seconds`: of a profile; `null`: a snapshot. `out` `null`: a name of its own in the present folder. */
export type InspectOptions = { readonly key: string; readonly seconds: number | null; readonly out: string | null };

/** Prints where the file is. @throws {CommandError} failed, when it cannot be written. */
export async function inspect(context: CommandContext, { key, seconds, out }: InspectOptions): Promise<number> {
  const gateway = await context.connect();
  const [what, extension] = seconds === null ? ["heap-snapshot", "heapsnapshot"] : ["cpu-profile", "cpuprofile"];
  const path = resolve(out ?? `${key.replaceAll(/[^\w-]/gu, "-")}.${extension}`);
  const query = seconds === null ? "" : `?seconds=${seconds}`;
  const timeoutMs = seconds === null ? snapshotTimeoutMs : seconds * 1000 + spareMs;
  const file = await create(path);
  try {
    const target = `/v1/adapters/${encodeURIComponent(key)}/${what}${query}`;
    await gateway.download({ method: "GET", path: target, timeoutMs }, file.createWriteStream());
  } catch (reason) {
    await file.close();
    await rm(path, { force: true });
    throw reason;
  }
  context.print(context.json ? JSON.stringify({ key, path }) : path);
  return exitCodes.done;
}

/** What an adapter holds in memory may be secret: for the user alone. Never over a file that is there. */
async function create(path: string): Promise<FileHandle> {
  try {
    return await open(path, "wx", 0o600);
  } catch (reason) {
    const why = errnoOf(reason) === "EEXIST" ? "it is there already" : String(errnoOf(reason) ?? reason);
    throw new CommandError(exitCodes.failed, `Cannot write ${path}: ${why}`);
  }
}
