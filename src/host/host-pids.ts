/** The host processes of this state directory, so that a coordinator that was killed leaves no orphan behind. */
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { errnoOf } from "../support/errno.ts";
import { processStartTime } from "./process-start-time.ts";

/** One host process; `startTime` tells it from a later process with the same pid. */
export type HostIdentity = { readonly pid: number; readonly startTime: string | null };

/** The list on disk. Writes are serial and the last state wins. */
export class HostPids {
  readonly #path: string;
  readonly #living = new Map<number, HostIdentity>();
  #writing: Promise<void> = Promise.resolve();

  constructor(stateDir: string) {
    this.#path = join(stateDir, "hosts.json");
  }

  /** Ends what an earlier coordinator left running. Hosts end by themselves when it dies; this is for those that could not. */
  async killLeftovers(): Promise<readonly number[]> {
    const killed: number[] = [];
    for (const { pid, startTime } of parseIdentities(await readFile(this.#path, "utf8").catch(() => "[]"))) {
      if (startTime === null || processStartTime(pid) !== startTime) continue;
      if (kill(pid)) killed.push(pid);
    }
    return killed;
  }

  add(identity: HostIdentity): void {
    this.#living.set(identity.pid, identity);
    this.#write();
  }

  delete(pid: number): void {
    this.#living.delete(pid);
    this.#write();
  }

  /** Resolves when the list on disk is the current one. */
  flush(): Promise<void> {
    return this.#writing;
  }

  #write(): void {
    this.#writing = this.#writeAfter(this.#writing);
  }

  async #writeAfter(earlier: Promise<void>): Promise<void> {
    await earlier;
    try {
      await writeFile(`${this.#path}.new`, JSON.stringify([...this.#living.values()]), { mode: 0o600 });
      await rename(`${this.#path}.new`, this.#path);
    } catch {
      // A full disk shows as the journal's trouble; the list only speeds up what hosts do by themselves.
    }
  }
}

/** With what its adapters had spawned: a host leads a group of its own. `false`: it has just ended by itself. */
function kill(pid: number): boolean {
  for (const target of [-pid, pid])
    try {
      process.kill(target, "SIGKILL");
      return true;
    } catch (reason) {
      if (errnoOf(reason) !== "ESRCH") throw reason;
    }
  return false;
}

function parseIdentities(text: string): readonly HostIdentity[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // A torn file names nobody.
    return [];
  }
  if (!Array.isArray(value)) return [];
  return value.filter(
    (entry: unknown): entry is HostIdentity =>
      typeof entry === "object" &&
      entry !== null &&
      Number.isInteger((entry as HostIdentity).pid) &&
      (entry as HostIdentity).pid > 1 &&
      typeof (entry as HostIdentity).startTime === "string",
  );
}
