/** A coordinator's wall clock that can be moved, by Debian's faketime. The monotonic clock goes on as it is. */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const libraries = [
  "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
  "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
];

/** Why no clock can be moved here; `null` where one can. */
export function whyNoClock(): string | null {
  return library() === undefined ? "faketime is not installed" : null;
}

/** One clock. Processes with {@link WallClock.environment} follow it within a second. */
export class WallClock {
  readonly environment: NodeJS.ProcessEnv;
  readonly #path: string;
  #offsetSeconds = 0;

  constructor(dir: string) {
    this.#path = join(dir, "clock");
    this.#write();
    const preload = library();
    this.environment =
      preload === undefined
        ? {}
        : {
            LD_PRELOAD: preload,
            FAKETIME_TIMESTAMP_FILE: this.#path,
            FAKETIME_CACHE_DURATION: "1",
            FAKETIME_DONT_FAKE_MONOTONIC: "1",
            // Otherwise files seem to be of another time than the clock.
            NO_FAKE_STAT: "1",
          };
  }

  jump(seconds: number): void {
    this.#offsetSeconds += seconds;
    this.#write();
  }

  #write(): void {
    writeFileSync(this.#path, `${this.#offsetSeconds < 0 ? "" : "+"}${this.#offsetSeconds}s\n`);
  }
}

function library(): string | undefined {
  return libraries.find((path) => existsSync(path));
}
