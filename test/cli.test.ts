import { describe, it } from "node:test";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { adminTokenPath } from "../src/admin/token.ts";
import { createGateway } from "../src/library.ts";
import { CliBench } from "./support/cli-bench.ts";
import { platforms } from "../src/contract/spec.ts";

const program = fileURLToPath(new URL("../src/cli.ts", import.meta.url));

async function inDirectory(run: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(path.join(tmpdir(), "bulkhead-cli-"));
  try {
    await run(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}

function spawnCli(directory: string, parameters: readonly string[]) {
  return spawn(process.execPath, [program, ...parameters], { cwd: directory, stdio: ["ignore", "pipe", "pipe"] });
}

async function bulkhead(directory: string, ...parameters: string[]) {
  const child = spawnCli(directory, parameters);
  const collect = async (stream: AsyncIterable<unknown>): Promise<string> => {
    let text = "";
    for await (const chunk of stream) text += String(chunk);
    return text;
  };
  const [out, err, [exitCode]] = await Promise.all([
    collect(child.stdout),
    collect(child.stderr),
    once(child, "exit") as Promise<[number | null]>,
  ]);
  return { exitCode, out, err };
}

describe("bulkhead", () => {
  it("works offline without a config: check, plan, schema, capabilities", () =>
    inDirectory(async (directory) => {
      assert.deepEqual(await bulkhead(directory, "check"), {
        exitCode: 0,
        out: "embedded default: valid, 2 adapters, 1 consumer\n",
        err: "",
      });
      const plan = await bulkhead(directory, "plan", "--json");
      const { actions } = JSON.parse(plan.out) as { actions: { key: string; action: string }[] };
      assert.deepEqual(
        [plan.exitCode, actions.map(({ key, action }) => `${action} ${key}`)],
        [0, ["start webhook", "start webchat", "start consumer:main"]],
      );
      const schema = JSON.parse((await bulkhead(directory, "schema")).out) as { properties: object };
      assert.ok("messaging" in schema.properties);
      const matrix = JSON.parse((await bulkhead(directory, "capabilities", "--json")).out) as Record<string, unknown>;
      assert.deepEqual(Object.keys(matrix), [...platforms]);
    }));

  it("finds ./bulkhead.toml, says every error with path and line, and exits 2", () =>
    inDirectory(async (directory) => {
      await writeFile(
        path.join(directory, "bulkhead.toml"),
        `[gateway]\nlog_level = "loud"\n[messaging.webhook]\nport = "x"\n`,
      );
      const { exitCode, out, err } = await bulkhead(directory, "check");
      assert.deepEqual([exitCode, out], [2, ""]);
      assert.match(err, /^bulkhead\.toml:2: gateway\.log_level: /m);
      assert.match(err, /^bulkhead\.toml:4: messaging\.webhook\.port: /m);
      assert.match(err, /^bulkhead: bulkhead\.toml has 2 errors$/m);
      assert.equal((await bulkhead(directory, "plan")).exitCode, 2);
    }));

  it("exits 3 where no gateway was started, and where one was but is gone", () =>
    inDirectory(async (directory) => {
      const never = await bulkhead(directory, "status");
      assert.equal(never.exitCode, 3);
      assert.match(never.err, /^bulkhead: gateway not running: no token in .*\n$/);
      const bench = await CliBench.start();
      await bench[Symbol.asyncDispose]();
      await configure(directory, bench);
      assert.deepEqual(await bulkhead(directory, "reload"), {
        exitCode: 3,
        out: "",
        err: "bulkhead: gateway not running\n",
      });
    }));

  it("finds a running gateway by its config", () =>
    inDirectory(async (directory) => {
      await using bench = await CliBench.start();
      await configure(directory, bench);
      const { exitCode, out } = await bulkhead(directory, "status", "--json");
      assert.deepEqual([exitCode, (JSON.parse(out) as { pid: number }).pid], [0, 4141]);
    }));

  it("finds a gateway whose config leaves the port to the system, while it runs and not after", () =>
    inDirectory(async (directory) => {
      const file = path.join(directory, "bulkhead.toml");
      await writeFile(file, `[admin]\nlisten = "127.0.0.1:0"\n`);
      const gateway = await createGateway({ config: file, log: () => {} });
      try {
        const { exitCode, out, err } = await bulkhead(directory, "status", "--json");
        assert.deepEqual([exitCode, err], [0, ""]);
        assert.equal((JSON.parse(out) as { pid: number }).pid, process.pid);
      } finally {
        await gateway[Symbol.asyncDispose]();
      }
      assert.equal((await bulkhead(directory, "status")).exitCode, 3);
    }));

  it("says its version", () =>
    inDirectory(async (directory) => {
      const manifest = await readFile(new URL("../package.json", import.meta.url), "utf8");
      const { version } = JSON.parse(manifest) as { readonly version: string };
      assert.deepEqual(await bulkhead(directory, "--version"), { exitCode: 0, out: `${version}\n`, err: "" });
    }));

  it("ends tail with exit 0 on Ctrl-C", () =>
    inDirectory(async (directory) => {
      await using bench = await CliBench.start();
      await configure(directory, bench);
      const child = spawnCli(directory, ["tail"]);
      const exited = once(child, "exit");
      await bench.control.subscribed.promise;
      bench.control.ring.publish("message", { key: "webhook", text: "hello" });
      await once(child.stdout, "data");
      child.kill("SIGINT");
      assert.deepEqual(await exited, [0, null]);
    }));
});

async function configure(directory: string, bench: CliBench): Promise<void> {
  await writeFile(adminTokenPath(directory), bench.token);
  await writeFile(
    path.join(directory, "bulkhead.toml"),
    `[gateway]\nstate_dir = "."\n[admin]\nlisten = "127.0.0.1:${bench.port}"\n`,
  );
}
