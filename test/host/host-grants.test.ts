import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { HostGrants, type ReadGrants } from "../../src/host/host-grants.ts";

let root = "";

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "bulkhead-grants-")));
  for (const folder of ["program/workers", "program/src", "program/node_modules/piscina", "home/data", "home/lib"])
    mkdirSync(join(root, folder), { recursive: true });
  for (const file of ["program/package.json", "home/bulkhead.toml", "home/adapter.mjs", "home/lib/words.mjs"])
    writeFileSync(join(root, file), "{}");
});
afterEach(() => rmSync(root, { recursive: true }));

function grants(privatePaths: readonly string[] = ["home/bulkhead.toml", "home/data"]): HostGrants {
  return new HostGrants({
    hostEntryUrl: pathToFileURL(join(root, "program/workers/host.js")).href,
    privatePaths: () => privatePaths.map((path) => join(root, path)),
    writablePaths: [join(root, "home/data/attachments")],
    workingDirectory: join(root, "home/data/empty"),
  });
}

/** As paths below the test's own folder; what lies above it depends on the machine. */
function below(readable: ReadGrants): readonly string[] {
  return [...readable]
    .filter((path) => path.startsWith(root))
    .map((path) => path.slice(root.length + 1))
    .toSorted();
}

async function ofModule(path: string, privatePaths?: readonly string[]): Promise<readonly string[]> {
  return below(await grants(privatePaths).ofModule(pathToFileURL(join(root, path)).href));
}

describe("HostGrants.ofModule()", () => {
  it("asks for nothing for a module of the program", async () => {
    assert.deepEqual(await ofModule("program/workers/webhook/adapter.js"), []);
  });

  it("grants the module's folder as a whole where nothing private is in it", async () => {
    assert.deepEqual(await ofModule("home/lib/words.mjs"), ["home/lib"]);
  });

  it("grants what lies beside a config piece by piece, the config and the state left out", async () => {
    assert.deepEqual(await ofModule("home/adapter.mjs"), ["home/adapter.mjs", "home/lib"]);
  });

  it("looks into folders that have something private deep inside", async () => {
    mkdirSync(join(root, "up/home/data"), { recursive: true });
    for (const file of ["up/adapter.mjs", "up/home/readme.md"]) writeFileSync(join(root, file), "");
    assert.deepEqual(await ofModule("up/adapter.mjs", ["up/home/data"]), ["up/adapter.mjs", "up/home/readme.md"]);
  });

  it("never grants a file of environment variables", async () => {
    for (const name of [".env", ".env.production", ".environment"]) writeFileSync(join(root, "home/lib", name), "");
    assert.deepEqual(await ofModule("home/lib/words.mjs"), ["home/lib/.environment", "home/lib/words.mjs"]);
  });

  it("grants packages and manifests above the module, and where linked packages really are", async () => {
    for (const folder of ["home/node_modules/@acme", "elsewhere/words", "elsewhere/node_modules/letters"])
      mkdirSync(join(root, folder), { recursive: true });
    writeFileSync(join(root, "home/package.json"), "{}");
    symlinkSync(join(root, "elsewhere/words"), join(root, "home/node_modules/@acme/words"));
    symlinkSync(join(root, "nowhere"), join(root, "home/node_modules/broken"));
    assert.deepEqual(await ofModule("home/lib/words.mjs"), [
      "elsewhere/node_modules",
      "elsewhere/words",
      "home/lib",
      "home/node_modules",
      "home/package.json",
    ]);
  });

  it("grants both a link in the module's path and what it leads to", async () => {
    symlinkSync(join(root, "home/lib"), join(root, "linked"));
    assert.deepEqual(await ofModule("linked/words.mjs"), ["home/lib", "linked"]);
  });

  it("keeps what is private where config and module are reached by a link to their folder", async () => {
    symlinkSync(join(root, "home"), join(root, "current"));
    assert.deepEqual(await ofModule("current/adapter.mjs", ["current/bulkhead.toml", "current/data"]), [
      "current/adapter.mjs",
      "current/lib",
      "home/adapter.mjs",
      "home/lib",
    ]);
  });

  it("keeps a config that is a link into a linked folder, as mounted ones are", async () => {
    mkdirSync(join(root, "mount/..1"), { recursive: true });
    for (const file of ["bulkhead.toml", "adapter.mjs"]) {
      writeFileSync(join(root, "mount/..1", file), "");
      symlinkSync(join("..data", file), join(root, "mount", file));
    }
    symlinkSync("..1", join(root, "mount/..data"));
    assert.deepEqual(await ofModule("mount/adapter.mjs", ["mount/bulkhead.toml"]), [
      "mount/..1/adapter.mjs",
      "mount/..data/adapter.mjs",
      "mount/adapter.mjs",
    ]);
  });

  it("grants no link that leads to what is private, or round in a circle", async () => {
    symlinkSync(join(root, "home/data"), join(root, "home/harmless"));
    symlinkSync(join(root, "home"), join(root, "home/again"));
    writeFileSync(join(root, "home/.env"), "");
    symlinkSync(join(root, "home/.env"), join(root, "home/settings"));
    assert.deepEqual(await ofModule("home/adapter.mjs"), ["home/adapter.mjs", "home/lib"]);
  });

  it("refuses a crowded folder that cannot be granted as a whole", async () => {
    for (let index = 0; index < 2_001; index += 1) writeFileSync(join(root, "home", `f${index}`), "");
    await assert.rejects(ofModule("home/adapter.mjs"), {
      code: "config_invalid",
      userAction: "Put the adapter's module into a folder of its own",
    });
  });
});

describe("HostGrants.processOptions()", () => {
  it("confines a host to the program and what it is given, in an empty folder of its own", async () => {
    const { flags, cwd } = await grants().processOptions(new Set([join(root, "home/lib")]));
    assert.equal(cwd, join(root, "home/data/empty"));
    const readable = flags.filter((flag) => flag.startsWith(`--allow-fs-read=${root}/`));
    assert.deepEqual(readable.map((flag) => flag.slice(`--allow-fs-read=${root}/`.length)).toSorted(), [
      "home/lib",
      "program/node_modules",
      "program/package.json",
      "program/src",
      "program/workers",
    ]);
    assert.ok(flags.includes("--permission") && flags.includes("--allow-net") && flags.includes("--allow-worker"));
    assert.deepEqual(
      flags.filter((flag) => flag.startsWith("--allow-fs-write")),
      [`--allow-fs-write=${root}/home/data/attachments`],
    );
    assert.ok(!flags.some((flag) => /child-process|addons|wasi|inspector/u.test(flag)));
  });
});
