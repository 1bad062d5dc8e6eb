/** The three ways to have Bulkhead on a machine: in each, the modules it runs import it by its name. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { freePort, GatewayHome, WebhookClient } from "./support/gateway-fixture.ts";

const top = fileURLToPath(new URL("../", import.meta.url));
const dependencies = path.join(top, "node_modules");

/** A checkout of its own, so that nobody's build is touched. */
function checkOut(directory: string): string {
  for (const name of ["src", "workers", "package.json", "tsconfig.json", "README.md", "LICENSE", "CHANGELOG.md"])
    cpSync(path.join(top, name), path.join(directory, name), { recursive: true });
  cpSync(path.join(top, "ecosystem.config.cjs"), path.join(directory, "ecosystem.config.cjs"));
  symlinkSync(dependencies, path.join(directory, "node_modules"));
  return directory;
}

/** The checkout's package as npm packs it, in a `node_modules` beside what it depends on. */
function install(checkout: string, project: string): string {
  npm(checkout, "pack", "--ignore-scripts", "--silent", "--pack-destination", project);
  const archive = readdirSync(project).find((name) => name.endsWith(".tgz")) ?? "";
  const installed = path.join(project, "node_modules", "bulkhead");
  mkdirSync(installed, { recursive: true });
  execFileSync("tar", ["-xzf", path.join(project, archive), "--strip-components=1", "-C", installed]);
  const manifest = JSON.parse(readFileSync(path.join(installed, "package.json"), "utf8")) as {
    readonly dependencies: Readonly<Record<string, string>>;
  };
  for (const name of Object.keys(manifest.dependencies)) {
    const link = path.join(project, "node_modules", name);
    mkdirSync(path.dirname(link), { recursive: true });
    symlinkSync(path.join(dependencies, name), link);
  }
  return installed;
}

function npm(directory: string, ...parameters: readonly string[]): void {
  execFileSync("npm", parameters, { cwd: directory, stdio: ["ignore", "ignore", "inherit"] });
}

/** What a handler, a CommonJS handler and an adapter get for the package's name. */
const modules = {
  "handler.ts": `
    import { defineHandler, GatewayError } from "bulkhead";
    export default defineHandler(() => [import.meta.resolve("bulkhead"), GatewayError.name].join(" "));`,
  "handler.cjs": `
    const { GatewayError } = require("bulkhead");
    module.exports = () => [require("node:url").pathToFileURL(require.resolve("bulkhead")), GatewayError.name].join(" ");`,
  "acme-adapter.ts": `
    import { defineAdapter, GatewayError } from "bulkhead";
    export default defineAdapter({
      platform: "acme",
      capabilities: {},
      maxSilenceMs: 0,
      async start() {
        throw new GatewayError("unauthorized", import.meta.resolve("bulkhead"), { userAction: "Get a new token" });
      },
    });`,
};

/** Runs the gateway of \`root\` for modules in \`home\`, and checks that all get the library at \`library\`. */
async function runsModules(root: string, library: string, home = new GatewayHome()): Promise<void> {
  const [port, olderPort] = [await freePort(), await freePort()];
  for (const [name, text] of Object.entries(modules)) home.writeFile(name, text);
  home.writeConfig(`
[[consumers]]
name = "main"
module = "./handler.ts"
[[consumers]]
name = "older"
module = "./handler.cjs"
[[bindings]]
consumer = "older"
channel = "webhook"
adapter = "older"
[[bindings]]
consumer = "main"
channel = "webhook"
[messaging.webhook]
port = ${port}
[[messaging.webhook.instances]]
name = "older"
port = ${olderPort}
[messaging.acme]
module = "./acme-adapter.ts"
`);
  const expected = pathToFileURL(path.join(root, library)).href;
  await using gateway = await home.start({ program: path.join(root, "src", "launch.cjs") });
  for (const [key, keyPort] of [
    ["webhook", port],
    ["webhook:older", olderPort],
  ] as const) {
    await gateway.reached(key, "running");
    const said = await new WebhookClient(keyPort).roundTrip("room", "where");
    assert.deepEqual(said, [`${expected} GatewayError`], key);
  }
  const acme = await gateway.reached("acme", "needs_attention");
  assert.deepEqual([acme.reason, acme.message, acme.userAction], ["bad_credentials", expected, "Get a new token"]);
}

describe("a module of the user's imports the running gateway's own library", () => {
  let directory: string;
  let built: string;
  before(() => {
    directory = mkdtempSync(path.join(tmpdir(), "bulkhead-installation-"));
    built = path.join(directory, "built");
    mkdirSync(built);
    checkOut(built);
    npm(built, "run", "--silent", "prepare");
  });
  after(() => rmSync(directory, { recursive: true }));

  it("in a checkout after npm ci, wherever the module is and whatever version is installed there", async () => {
    const home = new GatewayHome();
    const other = path.join("node_modules", "bulkhead");
    mkdirSync(path.join(home.dir, other), { recursive: true });
    home.writeFile(path.join(other, "package.json"), `{ "name": "bulkhead", "main": "./other.cjs" }`);
    home.writeFile(path.join(other, "other.cjs"), `throw new Error("another version");`);
    await runsModules(built, "dist/src/library.js", home);
  });

  it("in a checkout without development dependencies, which has no build", async () => {
    const sources = path.join(directory, "sources");
    mkdirSync(sources);
    await runsModules(checkOut(sources), "src/library.ts");
  });

  it("where the package is installed", async () => {
    const home = new GatewayHome();
    await runsModules(install(built, home.dir), "dist/src/library.js", home);
  });
});
