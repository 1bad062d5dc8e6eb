/**
 * A running process to which every file becomes read-only. The kernel mounts no file system read-only while a file of it
 * is open for writing, and a disk that turns read-only by an error does not turn back: here the limit of a file's size
 * does it, by which each write is refused.
 */
import { execFileSync } from "node:child_process";

/** Why it cannot be done here; `null` where it can. */
export function whyNoLimit(): string | null {
  try {
    execFileSync("prlimit", ["--version"], { stdio: "pipe" });
    return null;
  } catch {
    return "there is no prlimit (util-linux)";
  }
}

/** Lasts until it is disposed of, or the process ends. */
export class UnwritableFiles implements Disposable {
  readonly #pid: number;

  constructor(pid: number) {
    this.#pid = pid;
    this.#limit("0");
  }

  [Symbol.dispose](): void {
    this.#limit("unlimited");
  }

  /** The soft limit only, so that it may be lifted again. */
  #limit(bytes: string): void {
    execFileSync("prlimit", ["--pid", String(this.#pid), `--fsize=${bytes}:`], { stdio: "pipe" });
  }
}
