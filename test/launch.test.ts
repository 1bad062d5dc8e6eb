import { describe, it } from "node:test";
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmod, cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const launcher = fileURLToPath(new URL("../src/launch.cjs", import.meta.url));
const ecosystem = fileURLToPath(new URL("../ecosystem.config.cjs", import.meta.url));

/** Pretends to be an older Node: what the launcher looks at is `process.versions`. */
const pretendOld = `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.11.1" } });`;

/** A project with the launcher in it, and a program that says how it was run. */
class Project implements AsyncDisposable {
  readonly root: string;

  private constructor(root: string) {
    this.root = root;
  }

  static async create(program: string, where: "dist" | "src"): Promise<Project> {
    const project = new Project(await mkdtemp(path.join(tmpdir(), "bulkhead-launch-")));
    await mkdir(path.join(project.root, "src"));
    await cp(launcher, path.join(project.root, "src", "launch.cjs"));
    await cp(ecosystem, path.join(project.root, "ecosystem.config.cjs"));
    await writeFile(path.join(project.root, "package.json"), `{ "type": "module" }`);
    await writeFile(path.join(project.root, "old.cjs"), pretendOld);
    await project.add(where, program);
    return project;
  }

  async add(where: "dist" | "src", program: string): Promise<void> {
    const file = where === "dist" ? "dist/src/cli.js" : "src/cli.ts";
    await mkdir(path.dirname(path.join(this.root, file)), { recursive: true });
    await writeFile(path.join(this.root, file), program);
  }

  /** Gives it a Node of its own: this one, or a stand-in. */
  async addNode(script?: string): Promise<string> {
    const directory = path.join(this.root, "node_modules", "node");
    await mkdir(path.join(directory, "bin"), { recursive: true });
    await writeFile(path.join(directory, "package.json"), `{ "name": "node" }`);
    const file = path.join(directory, "bin", "node");
    if (script === undefined) await symlink(process.execPath, file);
    else {
      await writeFile(file, script);
      await chmod(file, 0o755);
    }
    return file;
  }

  launch(parameters: readonly string[], options: { readonly old?: boolean } = {}): ChildProcess {
    const preload = options.old === true ? ["--require", path.join(this.root, "old.cjs")] : [];
    return spawn(process.execPath, [...preload, path.join(this.root, "src", "launch.cjs"), ...parameters], {
      stdio: ["ignore", "pipe", "pipe"],
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return rm(this.root, { recursive: true });
  }
}

async function ended(child: ChildProcess) {
  let [out, err] = ["", ""];
  child.stdout?.on("data", (chunk) => (out += String(chunk)));
  child.stderr?.on("data", (chunk) => (err += String(chunk)));
  const [code, signal] = (await once(child, "close")) as [number | null, string | null];
  return { code, signal, out, err };
}

const report = (name: string): string =>
  `console.log(${JSON.stringify(name)}, process.argv.slice(2).join(" "), process.env.BULKHEAD_LAUNCHED ?? "direct");
process.exitCode = 7;`;

describe("launch.cjs", () => {
  it("runs the build in place on a Node that is new enough, with its parameters and exit code", async () => {
    await using project = await Project.create(report("built"), "dist");
    await project.add("src", report("source"));
    assert.deepEqual(await ended(project.launch(["check", "x"])), {
      code: 7,
      signal: null,
      out: "built check x direct\n",
      err: "",
    });
  });

  it("can be run by name, as npm links it: its first line names its interpreter", async () => {
    await using project = await Project.create(report("built"), "dist");
    const linked = path.join(project.root, "bulkhead");
    await symlink(path.join(project.root, "src", "launch.cjs"), linked);
    const { code, out } = await ended(spawn(linked, ["check"], { stdio: ["ignore", "pipe", "pipe"] }));
    assert.deepEqual([code, out], [7, "built check direct\n"]);
  });

  it("says what to do where the dependencies were not installed", async () => {
    await using project = await Project.create(`import "commander";`, "dist");
    const { code, err } = await ended(project.launch(["check"]));
    assert.equal(code, 2);
    assert.match(err, /^bulkhead: Cannot find package 'commander'.*, expected npm ci to have been run\n$/);
  });

  it("runs the sources where there is no build", async () => {
    await using project = await Project.create(report("source"), "src");
    assert.equal((await ended(project.launch([]))).out, "source  direct\n");
  });

  it("asks for a build where Node strips no types", async () => {
    await using project = await Project.create(report("source"), "src");
    const installed = path.join(project.root, "node_modules", "bulkhead");
    await mkdir(installed, { recursive: true });
    await cp(path.join(project.root, "src"), path.join(installed, "src"), { recursive: true });
    const child = spawn(process.execPath, [path.join(installed, "src", "launch.cjs")]);
    assert.deepEqual(await ended(child), {
      code: 2,
      signal: null,
      out: "",
      err: "bulkhead: dist/src/cli.js is missing, expected it to be built by npm ci\n",
    });
  });

  it("hands over to the project's Node on one that is too old", async () => {
    await using project = await Project.create(report("built"), "dist");
    await project.addNode();
    assert.deepEqual(await ended(project.launch(["status", "--json"], { old: true })), {
      code: 7,
      signal: null,
      out: "built status --json direct\n",
      err: "",
    });
  });

  it("says one sentence and exits 2 when no Node is new enough", async () => {
    await using project = await Project.create(report("built"), "dist");
    const sentence =
      "bulkhead: Node 20.11.1 is too old, expected 24.15 or newer (or run npm ci, which brings one along)\n";
    const expected = { code: 2, signal: null, out: "", err: sentence };
    assert.deepEqual(await ended(project.launch([], { old: true })), expected);
    // A project's Node that is too old as well does not start itself for ever.
    const old = path.join(project.root, "old.cjs");
    await project.addNode(`#!/bin/sh\nexec "${process.execPath}" --require "${old}" "$@"\n`);
    assert.deepEqual(await ended(project.launch([], { old: true })), expected);
  });

  for (const signal of ["SIGTERM", "SIGHUP", "SIGINT"] as const)
    it(`forwards ${signal} once and ends as the program ends`, async () => {
      await using project = await Project.create(
        `process.on(${JSON.stringify(signal)}, () => { console.log("got it"); setImmediate(() => process.exit(5)); });
setInterval(() => {}, 1000);
console.log("ready");`,
        "dist",
      );
      await project.addNode();
      const child = project.launch([], { old: true });
      const end = ended(child);
      await once(child.stdout ?? child, "data");
      child.kill(signal);
      assert.deepEqual(await end, { code: 5, signal: null, out: "ready\ngot it\n", err: "" });
    });

  it("dies by the signal its program died by", async () => {
    await using project = await Project.create(
      `process.kill(process.pid, "SIGKILL"); setInterval(() => {}, 1000);`,
      "dist",
    );
    await project.addNode();
    assert.equal((await ended(project.launch([], { old: true }))).signal, "SIGKILL");
  });
});

describe("ecosystem.config.cjs", () => {
  async function read(project: Project, options: { readonly old?: boolean } = {}) {
    const preload = options.old === true ? ["--require", path.join(project.root, "old.cjs")] : [];
    const file = path.join(project.root, "ecosystem.config.cjs");
    const script = `console.log(JSON.stringify(require(${JSON.stringify(file)}).apps))`;
    const run = await ended(spawn(process.execPath, [...preload, "--eval", script]));
    return { ...run, apps: run.code === 0 ? (JSON.parse(run.out) as Record<string, unknown>[]) : [] };
  }

  it("is one app in fork mode that leaves room for the drain", async () => {
    await using project = await Project.create("", "dist");
    await writeFile(path.join(project.root, "dist", "src", "cli.js"), "");
    const interpreter = await project.addNode();
    const { apps } = await read(project);
    assert.deepEqual(apps, [
      {
        name: "bulkhead",
        script: path.join(project.root, "dist", "src", "cli.js"),
        args: "start",
        interpreter,
        exec_mode: "fork",
        instances: 1,
        wait_ready: true,
        listen_timeout: 30000,
        kill_timeout: 20000,
        exp_backoff_restart_delay: 200,
        pmx: false,
      },
    ]);
  });

  it("runs the sources where there is no build, and itself where the project has no Node that runs", async () => {
    await using project = await Project.create("", "src");
    await project.addNode("#!/bin/sh\nexit 1\n");
    const { apps } = await read(project);
    assert.equal(apps[0]?.["script"], path.join(project.root, "src", "cli.ts"));
    assert.equal(apps[0]?.["interpreter"], process.execPath);
  });

  it("says that no Node is new enough", async () => {
    await using project = await Project.create("", "src");
    const { code, err } = await read(project, { old: true });
    assert.notEqual(code, 0);
    assert.match(err, /bulkhead: Node 20\.11\.1 is too old, expected 24\.15 or newer/);
  });
});
