/** Watches the config file through its folder, because editors and mounts replace the file rather than write into it. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { watch, type FSWatcher } from "chokidar";
import { after, withDeadline } from "../support/time.ts";
import { Settler } from "./settle.ts";

/** What a {@link ConfigWatcher} watches and whom it tells. */
export type ConfigWatcherOptions = {
  readonly path: string;
  /** The file's bytes are others than before, or the file is back. Once per real change. */
  onChange(): void;
  /** The file is gone. Once until it is back. */
  onMissing(): void;
  /** Watching or reading failed; the watcher goes on by itself. */
  onError(reason: unknown): void;
  /** Quiet time after the last write, milliseconds. @default 300 */
  readonly settleMs?: number;
  /** The longest a run of writes may put off a look, milliseconds. @default 3000 */
  readonly maxSettleMs?: number;
};

const readyDeadlineMs = 10_000;
const shortestRearmDelayMs = 1000;
const longestRearmDelayMs = 30_000;
/** A mounted volume swaps this link in the file's folder; the file, a link through it, does not change itself. */
const mountLinkName = "..data";

/**
 * Tells of changes to one file until it is disposed. What it compares with is the file as it was when {@link ConfigWatcher.start}
 * was called: start it before the file is loaded, and no edit falls between the two.
 */
export class ConfigWatcher implements AsyncDisposable {
  readonly #options: ConfigWatcherOptions;
  readonly #path: string;
  readonly #settler: Settler;
  #bytes: Buffer | null = null;
  #watcher: FSWatcher | null = null;
  #rearm: Disposable | null = null;
  #rearmDelayMs = shortestRearmDelayMs;
  /** Looks and re-arms, one after the other. */
  #work: Promise<void> = Promise.resolve();
  #isClosed = false;
  /** Ends the wait for the folder's first reading. */
  #ready = Promise.withResolvers<void>();

  private constructor(options: ConfigWatcherOptions) {
    this.#options = options;
    this.#path = path.resolve(options.path);
    this.#settler = new Settler({
      settleMs: options.settleMs ?? 300,
      maxSettleMs: options.maxSettleMs ?? 3000,
      onSettled: () => this.#enqueue(() => this.#look()),
    });
  }

  /** Resolves when changes are seen. A file that is missing then is watched for, without a call to `onMissing`. */
  static async start(options: ConfigWatcherOptions): Promise<ConfigWatcher> {
    const watcher = new ConfigWatcher(options);
    watcher.#bytes = await watcher.#read().catch((reason: unknown) => {
      options.onError(reason);
      return null;
    });
    watcher.#enqueue(() => watcher.#arm());
    await watcher.#work;
    return watcher;
  }

  /** Waits until nothing is watched and no call is under way; afterwards nothing is called any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#settler[Symbol.dispose]();
    this.#rearm?.[Symbol.dispose]();
    this.#ready.resolve();
    await this.#work;
    await this.#disarm();
  }

  #enqueue(step: () => Promise<void>): void {
    this.#work = this.#work.then(step).catch((reason: unknown) => this.#tell(() => this.#options.onError(reason)));
  }

  async #arm(): Promise<void> {
    await this.#disarm();
    if (this.#isClosed) return;
    const folder = path.dirname(this.#path);
    const names = new Set([path.basename(this.#path), mountLinkName]);
    const watcher = watch(folder, {
      depth: 0,
      ignoreInitial: true,
      ignored: (entry) => path.resolve(entry) !== folder && !names.has(path.basename(entry)),
    });
    this.#watcher = watcher;
    const ready = Promise.withResolvers<void>();
    this.#ready = ready;
    watcher.on("ready", () => ready.resolve());
    watcher.on("all", (event, entry) => {
      // A folder that came back is another one: what the watcher knew of the old one hides changes in the new.
      if (event === "addDir" && path.resolve(entry) === folder) this.#enqueue(() => this.#arm());
      this.#settler.touch();
    });
    watcher.on("error", (reason) => {
      this.#tell(() => this.#options.onError(reason));
      this.#armAgainLater();
      ready.resolve();
    });
    try {
      await withDeadline(ready.promise, readyDeadlineMs, `watching ${folder}`);
    } catch (reason) {
      this.#armAgainLater();
      throw reason;
    }
    if (this.#rearm === null) this.#rearmDelayMs = shortestRearmDelayMs;
    // What was written while nobody watched.
    await this.#look();
  }

  async #disarm(): Promise<void> {
    const watcher = this.#watcher;
    this.#watcher = null;
    await watcher?.close();
  }

  #armAgainLater(): void {
    if (this.#isClosed || this.#rearm !== null) return;
    this.#rearm = after(this.#rearmDelayMs, () => {
      this.#rearm = null;
      this.#enqueue(() => this.#arm());
    });
    this.#rearmDelayMs = Math.min(this.#rearmDelayMs * 2, longestRearmDelayMs);
  }

  async #look(): Promise<void> {
    if (this.#isClosed) return;
    const bytes = await this.#read();
    const before = this.#bytes;
    this.#bytes = bytes;
    if (bytes === null && before !== null) this.#tell(() => this.#options.onMissing());
    if (bytes !== null && (before === null || !before.equals(bytes))) this.#tell(() => this.#options.onChange());
  }

  /** `null`: there is no such file. */
  async #read(): Promise<Buffer | null> {
    try {
      return await readFile(this.#path);
    } catch (reason) {
      const code = reason instanceof Error && "code" in reason ? reason.code : "";
      if (code === "ENOENT" || code === "ENOTDIR") return null;
      throw reason;
    }
  }

  /** A listener that throws must not end the watch. */
  #tell(call: () => void): void {
    if (this.#isClosed) return;
    try {
      call();
    } catch (reason) {
      try {
        this.#options.onError(reason);
      } catch {
        // Whoever is told of errors has one itself: nobody is left to tell.
      }
    }
  }
}
