/** The real pm2, with a home of its own: what an operator sees and can do. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { freePort, GatewayHome, WebhookClient } from "./support/gateway-fixture.ts";

const pm2Path = fileURLToPath(new URL("../node_modules/pm2/bin/pm2", import.meta.url));
const ecosystemPath = fileURLToPath(new URL("../ecosystem.config.cjs", import.meta.url));
const launchPath = fileURLToPath(new URL("../src/launch.cjs", import.meta.url));
const execute = promisify(execFile);

type Pm2App = {
  readonly pm2_env: {
    readonly status: string;
    readonly exit_code?: number;
    readonly axm_monitor: Readonly<Record<string, { readonly value: unknown }>>;
  };
};

/** pm2 with its daemon; disposing ends both. */
class Pm2 implements AsyncDisposable {
  readonly #home = mkdtempSync(join(tmpdir(), "bulkhead-pm2-"));
  readonly #cwd: string;

  constructor(cwd: string) {
    this.#cwd = cwd;
  }

  async run(...parameters: readonly string[]): Promise<string> {
    const { stdout } = await execute(process.execPath, [pm2Path, ...parameters], {
      cwd: this.#cwd,
      env: { ...process.env, PM2_HOME: this.#home },
      timeout: 60_000,
    });
    return stdout;
  }

  /** The app as `pm2 jlist` tells it, once it matches. */
  async app(matches: (app: Pm2App) => boolean): Promise<Pm2App> {
    const signal = AbortSignal.timeout(60_000);
    for (;;) {
      signal.throwIfAborted();
      const list = await this.run("jlist", "--silent");
      const [app] = JSON.parse(list.slice(list.indexOf("["))) as Pm2App[];
      if (app !== undefined && matches(app)) return app;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.run("kill");
  }
}

describe("pm2 start ecosystem.config.cjs", () => {
  it("shows CPU, memory and state per adapter, takes actions, and stops in time", async () => {
    const home = new GatewayHome();
    const port = await freePort();
    home.writeConfig(`[[consumers]]\nname = "main"\nbuiltin = "echo"\n[messaging.webhook]\nport = ${port}\n`);
    await using pm2 = new Pm2(home.dir);
    await pm2.run("start", ecosystemPath);
    const shown = await pm2.app(({ pm2_env }) => pm2_env.axm_monitor["webhook state"]?.value === "running");
    assert.equal(shown.pm2_env.status, "online");
    assert.match(String(shown.pm2_env.axm_monitor["webhook cpu"]?.value), /^\d/);
    assert.match(String(shown.pm2_env.axm_monitor["webhook mem"]?.value), /^\d/);
    assert.deepEqual(await new WebhookClient(port).roundTrip("room", "hello"), ["hello"]);
    assert.match(await pm2.run("trigger", "bulkhead", "restart-adapter", "webhook"), /"key":"webhook","generation":2/);
    await pm2.run("stop", "bulkhead");
    const stopped = await pm2.app(({ pm2_env }) => pm2_env.status === "stopped");
    assert.equal(stopped.pm2_env.status, "stopped");
  });
});

describe("pm2's cluster mode", () => {
  it("is refused with a sentence and exit code 2, however many instances", async () => {
    const home = new GatewayHome();
    await using pm2 = new Pm2(home.dir);
    const log = join(home.dir, "error.log");
    await pm2.run("start", launchPath, "-i", "2", "--no-autorestart", "--error", log, "--", "start");
    const app = await pm2.app(({ pm2_env }) => pm2_env.status !== "online" && pm2_env.status !== "launching");
    assert.deepEqual([app.pm2_env.status, app.pm2_env.exit_code], ["stopped", 2]);
    assert.match(await readFile(`${log.slice(0, -4)}-0.log`, "utf8"), /Cannot start in pm2's cluster mode/u);
  });
});
