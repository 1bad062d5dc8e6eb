/** What an adapter may read and do on the machine: its own code and the network, nothing else. */
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { statusWhere } from "../support/gateway-events.ts";
import { freePort, GatewayHome, WebhookClient, type LogLine, type RunningGateway } from "../support/gateway-fixture.ts";

const burglarPath = fileURLToPath(new URL("../support/burglar-adapter.ts", import.meta.url));
const echo = `[[consumers]]\nname = "main"\nbuiltin = "echo"\n`;

type Loot = { readonly outcomes: Readonly<Record<string, string>>; readonly own: string };

async function lootOf(gateway: RunningGateway): Promise<Loot> {
  const { fields, ...line } = (await gateway.logged(({ event }) => event === "burglar-tried")) as LogLine & {
    readonly fields?: Loot;
  };
  return (fields ?? line) as unknown as Loot;
}

/**
 * A gateway whose adapter's module lies right beside its config, its secrets and its state, as people put it. `link`: by which
 * name of that folder it is started.
 */
async function burgled(hosts: string, options: { readonly link?: string } = {}): Promise<Loot> {
  const home = new GatewayHome();
  const link = options.link ?? home.dir;
  if (link !== home.dir) symlinkSync(home.dir, link);
  const module = home.writeFile("burglar-adapter.ts", "");
  copyFileSync(burglarPath, module);
  home.writeFile("webhook-token", "a-token-of-another-adapter\n");
  home.writeFile(".env", "SECRET=1\n");
  mkdirSync(join(home.dir, "secrets"));
  writeFileSync(join(home.dir, "secrets", "other"), "another\n");
  const wanted = [
    home.configPath,
    join(link, "bulkhead.toml"),
    join(link, "data", "admin.token"),
    join(home.dir, ".", "x", "..", "bulkhead.toml"),
    join(home.dir, "data", "journal.db"),
    join(home.dir, "data", "admin.token"),
    join(home.dir, "data", "install.key"),
    join(home.dir, "webhook-token"),
    join(home.dir, "secrets", "other"),
    join(home.dir, ".env"),
    "/etc/passwd",
    "/proc/self/environ",
    "bulkhead.toml",
    "../bulkhead.toml",
  ];
  const folders = [home.dir, join(home.dir, "data"), join(home.dir, "secrets"), "/", "."];
  home.writeConfig(
    `${echo}[secrets]\ndir = "secrets"\n[hosts]\n${hosts}\n` +
      `[messaging.webhook]\nport = ${await freePort()}\nauth_token = "file:./webhook-token"\n` +
      `[messaging.burglar]\nmodule = "./burglar-adapter.ts"\n[messaging.burglar.settings]\n` +
      `wanted = ${JSON.stringify(wanted)}\nfolders = ${JSON.stringify(folders)}\nfolder = ${JSON.stringify(home.dir)}\n`,
  );
  await using gateway = await home.start({ configPath: join(link, "bulkhead.toml") });
  await gateway.reached("webhook", "running");
  return await lootOf(gateway);
}

/** What it got at that it should not have. */
function stolen(outcomes: Loot["outcomes"]): readonly (readonly [string, string])[] {
  const refusals = ["ERR_ACCESS_DENIED", "ENOENT", "ERR_MODULE_NOT_FOUND"];
  return Object.entries(outcomes).filter(([, outcome]) => !refusals.includes(outcome));
}

describe("an adapter host", () => {
  it("keeps the config, the journal, secrets, other files and programs from its adapters", async () => {
    const { outcomes, own } = await burgled("");
    assert.equal(own, "ok", "it may read its own code");
    const { "readdirSync .": here, chdir, ...others } = outcomes;
    // Threads may read the folder that their process works in: it is an empty one.
    assert.equal(here, "ok");
    assert.equal(chdir, "ERR_WORKER_UNSUPPORTED_OPERATION");
    assert.deepEqual(stolen(others), []);
    const denied = Object.values(others).filter((outcome) => outcome === "ERR_ACCESS_DENIED");
    assert.ok(denied.length > 70, `${denied.length} were denied`);
  });

  it("keeps them where the folder is reached by a link, as releases are laid out", async () => {
    const { outcomes, own } = await burgled("", {
      link: join(mkdtempSync(join(tmpdir(), "bulkhead-link-")), "current"),
    });
    assert.equal(own, "ok", "it may read its own code");
    const { "readdirSync .": _here, chdir: _chdir, ...others } = outcomes;
    assert.deepEqual(stolen(others), []);
  });

  it("keeps nothing from them where the config says so", async () => {
    const { outcomes } = await burgled("permissions = false");
    const got = Object.values(outcomes).filter((outcome) => outcome === "ok");
    assert.ok(got.length > 60, `${got.length} came through`);
  });

  it("lets an adapter use packages and files around its module, also by a link, and all of our own adapters work", async () => {
    const home = new GatewayHome();
    const elsewhere = join(home.dir, "elsewhere");
    mkdirSync(join(elsewhere, "node_modules", "words"), { recursive: true });
    writeFileSync(join(elsewhere, "node_modules", "words", "package.json"), '{"name":"words","main":"words.js"}');
    writeFileSync(join(elsewhere, "node_modules", "words", "words.js"), 'exports.word = "packaged";');
    writeFileSync(join(elsewhere, "package.json"), '{"type":"module"}');
    writeFileSync(join(elsewhere, "neighbour.js"), 'export const word = "neighbour";');
    writeFileSync(join(elsewhere, "data.json"), '{"word": "file"}');
    writeFileSync(
      join(elsewhere, "adapter.js"),
      `import { readFileSync } from "node:fs";
       import { defineAdapter } from "bulkhead";
       import { word as packaged } from "words";
       import { word as neighbour } from "./neighbour.js";
       const { word: file } = JSON.parse(readFileSync(new URL("./data.json", import.meta.url), "utf8"));
       export default defineAdapter({
         platform: "acme", capabilities: {}, maxSilenceMs: 0,
         async start(context) {
           context.log.info("acme-started", { words: [packaged, neighbour, file] });
           return { async stop() {} };
         },
       });`,
    );
    symlinkSync(elsewhere, join(home.dir, "linked"));
    const [webhook, webchat] = [await freePort(), await freePort()];
    home.writeConfig(
      `${echo}[messaging.webhook]\nport = ${webhook}\n[messaging.webchat]\nport = ${webchat}\n` +
        `[messaging.acme]\nmodule = "./linked/adapter.js"\n`,
    );
    await using gateway = await home.start();
    const started = await gateway.logged(({ event }) => event === "acme-started");
    assert.deepEqual(started["words"], ["packaged", "neighbour", "file"]);
    for (const key of ["webhook", "webchat", "acme"]) await gateway.reached(key, "running");
    assert.deepEqual(await new WebhookClient(webhook).roundTrip("room", "hi"), ["hi"]);
    assert.match(await (await fetch(`http://127.0.0.1:${webchat}/`)).text(), /<!doctype html>/u);
    const { hosts } = await gateway.status();
    assert.equal(hosts.filter(({ kind }) => kind === "shared").length, 1, "one host does for all three");
    assert.deepEqual(readdirSync(join(home.dir, "data", "empty")), []);
  });

  it("lets no empty hosts pile up where new files beside a module make it need a newer one each time", async () => {
    const home = new GatewayHome();
    home.writeFile(
      "acme.mjs",
      `export default { platform: "acme", capabilities: {}, maxSilenceMs: 0, start: async () => ({ stop: async () => {} }) };`,
    );
    home.writeConfig(`${echo}[messaging.acme]\nmodule = "./acme.mjs"\n`);
    await using gateway = await home.start();
    let { host, generation } = await gateway.reached("acme", "running");
    for (const name of ["one.txt", "two.txt"]) {
      const before = host?.pid ?? 0;
      home.writeFile(name, "new");
      await gateway.admin("POST", "/v1/adapters/acme/restart", {});
      ({ host, generation } = await gateway.reached("acme", "running", (seen) => seen.generation !== generation));
      assert.notEqual(host?.pid, before, "it may read the new file too");
      const status = await statusWhere(gateway, ({ hosts }) => hosts.every(({ pid }) => pid !== before));
      assert.deepEqual(
        status.hosts.map(({ keys }) => keys),
        [["acme"]],
      );
    }
    assert.ok(!gateway.log.some(({ event }) => event === "host-died"));
  });

  it("starts a second shared host for a module that the first one may not read", async () => {
    const home = new GatewayHome();
    const webhook = `[messaging.webhook]\nport = ${await freePort()}\n`;
    home.writeConfig(echo + webhook);
    await using gateway = await home.start();
    const before = await gateway.reached("webhook", "running");
    mkdirSync(join(home.dir, "adapters"));
    const module = join(home.dir, "adapters", "acme.mjs");
    writeFileSync(
      module,
      `export default { platform: "acme", capabilities: {}, maxSilenceMs: 0, start: async () => ({ stop: async () => {} }) };`,
    );
    home.writeConfig(`${echo}${webhook}[messaging.acme]\nmodule = "./adapters/acme.mjs"\n`);
    const acme = await gateway.reached("acme", "running");
    assert.equal(acme.host?.kind, "shared");
    assert.notEqual(acme.host?.pid, before.host?.pid);
    assert.equal((await gateway.reached("webhook", "running")).generation, before.generation);
  });
});
