import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, it, type TestContext } from "node:test";
import { ConfigWatcher } from "../../src/config/watch.ts";

/** A watched file; every call is counted and can be waited for. */
class Watched extends EventEmitter {
  readonly calls: string[] = [];
  /** The file as it was read after each change. */
  readonly contents: string[] = [];
  readonly folder: string;
  readonly file: string;
  #watcher: ConfigWatcher | null = null;

  private constructor(folder: string) {
    super();
    this.folder = folder;
    this.file = path.join(folder, "bulkhead.toml");
  }

  static async create(t: TestContext, content: string | null = "first"): Promise<Watched> {
    const watched = new Watched(path.join(await mkdtemp(path.join(tmpdir(), "bulkhead-")), "etc"));
    await mkdir(watched.folder);
    if (content !== null) await writeFile(watched.file, content);
    t.after(async () => {
      await watched.close();
      await rm(path.dirname(watched.folder), { recursive: true });
    });
    return watched;
  }

  async start(settleMs = 20): Promise<void> {
    const record = (call: string): void => {
      this.calls.push(call);
      this.emit(call);
    };
    this.#watcher = await ConfigWatcher.start({
      path: this.file,
      settleMs,
      onChange: () => {
        record("change");
        void this.#readAgain();
      },
      onMissing: () => record("missing"),
      onError: (reason) => record(`error ${String(reason)}`),
    });
  }

  async #readAgain(): Promise<void> {
    this.contents.push(await readFile(this.file, "utf8").catch(() => ""));
    this.emit("read");
  }

  /** Does `act` and waits until the call comes. */
  async until(call: "change" | "missing", act: () => Promise<unknown>): Promise<void> {
    const called = once(this, call, { signal: AbortSignal.timeout(10_000) });
    await act();
    await called;
  }

  async saveByRename(content: string): Promise<void> {
    await writeFile(`${this.file}.tmp`, content);
    await rename(`${this.file}.tmp`, this.file);
  }

  async close(): Promise<void> {
    await this.#watcher?.[Symbol.asyncDispose]();
  }
}

const skipReason = process.platform === "linux" ? false : "only Linux shows a process's watches";

/** How many files and folders this process has the kernel watch. */
async function kernelWatches(): Promise<number> {
  const names = await readdir("/proc/self/fdinfo");
  // A descriptor may be gone by the time it is looked at.
  const texts = await Promise.all(names.map((name) => readFile(`/proc/self/fdinfo/${name}`, "utf8").catch(() => "")));
  return texts.join("\n").split("inotify wd:").length - 1;
}

describe("ConfigWatcher", () => {
  it("tells once of a save in place and of each save by rename", async (t) => {
    const watched = await Watched.create(t);
    await watched.start();
    await watched.until("change", () => writeFile(watched.file, "second"));
    await watched.until("change", () => watched.saveByRename("third"));
    await watched.until("change", () => watched.saveByRename("fourth"));
    assert.deepEqual(watched.calls, ["change", "change", "change"]);
  });

  it("says nothing of a save whose bytes are the same", async (t) => {
    const watched = await Watched.create(t);
    await watched.start();
    await writeFile(watched.file, "first");
    await watched.saveByRename("first");
    await watched.until("change", () => writeFile(watched.file, "second"));
    assert.deepEqual(watched.calls, ["change"]);
  });

  it("tells once that the file is gone, and that it is back with the same bytes", async (t) => {
    const watched = await Watched.create(t);
    await watched.start();
    await watched.until("missing", () => rm(watched.file));
    await watched.until("change", () => writeFile(watched.file, "first"));
    await watched.until("missing", () => rm(watched.file));
    assert.deepEqual(watched.calls, ["missing", "change", "missing"]);
  });

  it("tells of a file that comes after it started", async (t) => {
    const watched = await Watched.create(t, null);
    await watched.start();
    await watched.until("change", () => writeFile(watched.file, "first"));
    assert.deepEqual(watched.calls, ["change"]);
  });

  it("ends a storm of 200 saves with the last one", async (t) => {
    const watched = await Watched.create(t);
    await watched.start(50);
    for (let save = 1; save <= 200; save += 1) {
      if (save % 2 === 0) await watched.saveByRename(`save ${save}`);
      else await writeFile(watched.file, `save ${save}`);
    }
    // The last bytes are new ones, so a call for them must come, whatever came before.
    while (watched.contents.at(-1) !== "save 200") await once(watched, "read", { signal: AbortSignal.timeout(10_000) });
    assert.ok(watched.calls.length < 20, `${watched.calls.length} calls`);
  });

  it("goes on in a folder that was removed and made again", async (t) => {
    const watched = await Watched.create(t);
    await watched.start();
    await watched.until("missing", () => rm(watched.folder, { recursive: true }));
    await watched.until("change", async () => {
      await mkdir(watched.folder);
      await writeFile(watched.file, "second");
    });
    for (const content of ["third", "fourth", "fifth"]) {
      await watched.until("change", () => writeFile(watched.file, content));
    }
    assert.deepEqual(watched.calls, ["missing", "change", "change", "change", "change"]);
  });

  it("follows a mounted volume's swap of the folder behind the file", async (t) => {
    const watched = await Watched.create(t, null);
    for (const version of ["..1", "..2"]) {
      await mkdir(path.join(watched.folder, version));
      await writeFile(path.join(watched.folder, version, "bulkhead.toml"), version);
    }
    await symlink("..1", path.join(watched.folder, "..data"));
    await symlink("..data/bulkhead.toml", watched.file);
    await watched.start();
    await watched.until("change", async () => {
      await symlink("..2", path.join(watched.folder, "..swap"));
      await rename(path.join(watched.folder, "..swap"), path.join(watched.folder, "..data"));
    });
    assert.deepEqual(watched.calls, ["change"]);
  });

  it("never calls again once it is closed, also where a save is settling", async (t) => {
    const closing = await Watched.create(t);
    await closing.start(500);
    const other = await ConfigWatcher.start({
      path: closing.file,
      settleMs: 20,
      onChange: () => closing.emit("seen"),
      onMissing: () => {},
      onError: () => {},
    });
    const seen = once(closing, "seen");
    await writeFile(closing.file, "second");
    await seen;
    await closing.close();
    await closing.close();
    // The other one hears of a later save, so the closed one would have had its time.
    const again = once(closing, "seen");
    await writeFile(closing.file, "third");
    await again;
    await other[Symbol.asyncDispose]();
    assert.deepEqual(closing.calls, []);
  });

  it("watches nothing any more when its disposal has resolved", { skip: skipReason }, async (t) => {
    const watched = await Watched.create(t);
    const before = await kernelWatches();
    await watched.start();
    assert.ok((await kernelWatches()) > before);
    await watched.close();
    assert.equal(await kernelWatches(), before);
  });

  it("survives a listener that throws", async (t) => {
    const watched = await Watched.create(t);
    await watched.start();
    watched.once("change", () => {
      throw new Error("listener");
    });
    const failed = once(watched, "error Error: listener");
    await writeFile(watched.file, "second");
    await failed;
    await watched.until("change", () => writeFile(watched.file, "third"));
  });
});
