/** A file system of a few megabytes, for a disk that is full. Only root may mount one. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Why no file system can be mounted here; `null` where one can. */
export function whyNoMount(): string | null {
  try {
    using _disk = new SmallDisk(mkdtempSync(join(tmpdir(), "bulkhead-mount-")), 1);
    return null;
  } catch (reason) {
    return `a tmpfs cannot be mounted: ${reason instanceof Error ? (reason.message.split("\n")[0] ?? "") : String(reason)}`;
  }
}

/** A mounted tmpfs; disposing unmounts it. */
export class SmallDisk implements Disposable {
  readonly path: string;

  constructor(path: string, megabytes: number) {
    this.path = path;
    mkdirSync(path, { recursive: true, mode: 0o700 });
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m,mode=0700`, "tmpfs", path], { stdio: "pipe" });
  }

  /** From now on nothing can be written. */
  makeReadOnly(): void {
    execFileSync("mount", ["-o", "remount,ro", this.path], { stdio: "pipe" });
  }

  makeWritable(): void {
    execFileSync("mount", ["-o", "remount,rw", this.path], { stdio: "pipe" });
  }

  [Symbol.dispose](): void {
    // Lazily: a process that is just ending may still have a file of it open.
    execFileSync("umount", ["--lazy", this.path], { stdio: "pipe" });
  }
}
