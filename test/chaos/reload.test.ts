/** Saves of every kind under a running gateway: what the file says last is what runs, with the least disturbance. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import type { AdapterStatus, GatewayStatus } from "../../src/contract/status.ts";
import {
  faultAdapterPath,
  freePort,
  GatewayHome,
  WebhookClient,
  type RunningGateway,
} from "../support/gateway-fixture.ts";
import { hasCondition, statusWhere } from "../support/gateway-events.ts";

const cliPath = fileURLToPath(new URL("../../src/cli.ts", import.meta.url));

const base = `[supervisor]\nbackoff_min_ms = 50\nbackoff_max_ms = 200\n[[consumers]]\nname = "main"\nbuiltin = "echo"\n`;
const webhook = (port: number, extra = ""): string => `[messaging.webhook]\nport = ${port}\n${extra}`;
const moving = (port: number | string, extra = ""): string =>
  `[[messaging.webhook.instances]]\nname = "moving"\nport = ${port}\n${extra}`;
const fault = (settings = "", supervisor = ""): string =>
  `[messaging.fault]\nmodule = "${faultAdapterPath}"\n[messaging.fault.settings]\n${settings}\n` +
  `[messaging.fault.supervisor]\n${supervisor}\n`;

function adapterOf(adapters: readonly AdapterStatus[], key: string): AdapterStatus {
  const found = adapters.find((adapter) => adapter.key === key);
  assert.ok(found !== undefined, `there is no ${key}`);
  return found;
}

/** Which life an adapter is in, and how often one ended. */
function lifeOf({ generation, restarts, state }: AdapterStatus): string {
  return `generation ${generation}, ${restarts} restarts, ${state}`;
}

/** Saves `body` and resolves when it was accepted. */
async function save(gateway: RunningGateway, body: string): Promise<void> {
  const accepted = gateway.nextLogged(({ event }) => event === "config-accepted");
  gateway.home.writeConfig(body);
  await accepted;
}

/** The status when every adapter is as the last accepted config says. A reload finds nothing to do then. */
async function settled(gateway: RunningGateway): Promise<GatewayStatus> {
  const { status, body } = await gateway.admin("POST", "/v1/reload?wait=30");
  assert.equal(status, 200, JSON.stringify(body));
  const { actions } = body as { readonly actions: readonly { readonly action: string }[] };
  assert.ok(
    actions.every(({ action }) => action === "keep" || action === "invalid"),
    JSON.stringify(actions),
  );
  return gateway.status();
}

async function isServed(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/health`)).ok;
  } catch {
    // Nobody listens.
    return false;
  }
}

describe("a storm of saves", () => {
  it("ends with the last one running and the others untouched", { timeout: 60_000 }, async () => {
    const home = new GatewayHome();
    const [port, ...places] = await Promise.all(Array.from({ length: 5 }, freePort));
    assert.ok(port !== undefined);
    // The last one is known by a binding of its own, which nothing fits.
    const mark = `[[bindings]]\nconsumer = "main"\nchannel = "telegram"\n`;
    const config = (index: number, isLast = false): string =>
      `[admin]\nlisten = "unix:${home.socketPath}"\n${base}${isLast ? mark : ""}${webhook(port)}${fault()}` +
      `${moving(places[index % places.length] ?? 0)}max_body_bytes = ${100_000 + index}\n`;
    writeFileSync(home.configPath, config(0));
    await using gateway = await home.start();
    const before = await statusWhere(gateway, ({ adapters }) => adapters.every(({ state }) => state === "running"));
    const client = new WebhookClient(port);
    const accepted = (): number => gateway.log.filter(({ event }) => event === "config-accepted").length;
    let index = 1;
    // On until the gateway has acted in the middle of it.
    for (; index <= 200 || accepted() < 2; index += 1) {
      if (index % 3 === 0) {
        // As some editors save: the old file cut to nothing, then written.
        writeFileSync(home.configPath, config(index));
      } else {
        writeFileSync(`${home.configPath}.new`, config(index));
        renameSync(`${home.configPath}.new`, home.configPath);
      }
      // Each save waits for real work; the others must not notice.
      assert.deepEqual(await client.roundTrip("room", `save ${index}`), [`save ${index}`]);
    }
    writeFileSync(home.configPath, config(index, true));
    await statusWhere(gateway, (status) => hasCondition(status, "binding_skipped"));
    const end = await settled(gateway);
    const served = await Promise.all(places.map(isServed));
    assert.deepEqual(
      served,
      places.map((_, place) => place === index % places.length),
    );
    for (const key of ["webhook", "fault"])
      assert.equal(lifeOf(adapterOf(end.adapters, key)), lifeOf(adapterOf(before.adapters, key)), key);
    assert.deepEqual(
      end.conditions.map(({ code }) => code),
      ["binding_skipped"],
    );
  });
});

describe("a config file that is deleted", () => {
  it("leaves everything running, and is followed again once it is back", async () => {
    const home = new GatewayHome();
    const [port, first, second] = [await freePort(), await freePort(), await freePort()];
    home.writeConfig(`${base}${webhook(port)}${moving(first)}`);
    await using gateway = await home.start();
    const before = await statusWhere(gateway, ({ adapters }) => adapters.every(({ state }) => state === "running"));
    const aside = `${home.configPath}.aside`;
    renameSync(home.configPath, aside);
    const missing = await statusWhere(gateway, (status) => hasCondition(status, "config_missing"));
    assert.deepEqual(missing.adapters.map(lifeOf), before.adapters.map(lifeOf));
    assert.deepEqual(await new WebhookClient(port).roundTrip("room", "still here"), ["still here"]);
    // Neither a reload nor a signal may take it for an empty config.
    assert.equal((await gateway.admin("POST", "/v1/reload")).status, 422);
    renameSync(aside, home.configPath);
    const back = await statusWhere(gateway, (status) => !hasCondition(status, "config_missing"));
    assert.deepEqual(back.adapters.map(lifeOf), before.adapters.map(lifeOf));

    rmSync(home.configPath);
    await statusWhere(gateway, (status) => hasCondition(status, "config_missing"));
    await save(gateway, `${base}${webhook(port)}${moving(second)}`);
    const after = await settled(gateway);
    assert.deepEqual(after.conditions, []);
    assert.equal(lifeOf(adapterOf(after.adapters, "webhook")), lifeOf(adapterOf(before.adapters, "webhook")));
    assert.ok(await isServed(second));
    assert.ok(!(await isServed(first)));
  });

  it("is not taken for one without adapters when it is only cut to nothing", async () => {
    const home = new GatewayHome();
    const port = await freePort();
    home.writeConfig(`${base}${webhook(port)}`);
    await using gateway = await home.start();
    const before = await gateway.reached("webhook", "running");
    writeFileSync(home.configPath, "");
    const status = await statusWhere(gateway, (seen) => hasCondition(seen, "config_invalid"));
    assert.deepEqual(status.adapters.map(lifeOf), [lifeOf(before)]);
  });
});

describe("a save", () => {
  it("swaps a policy in place: body limits and DM lists of bindings need no new generation", async () => {
    const home = new GatewayHome();
    const port = await freePort();
    const bindings = (users: string): string =>
      `[[bindings]]\nconsumer = "main"\nchannel = "fault"\ndm_allowed_users = [${users}]\n`;
    home.writeConfig(`${base}${bindings('"a"')}${webhook(port)}${fault()}`);
    await using gateway = await home.start();
    const before = await statusWhere(gateway, ({ adapters }) => adapters.every(({ state }) => state === "running"));
    const client = new WebhookClient(port);
    const large = { conversation_id: "room", content: "x".repeat(2_000) };
    assert.equal((await client.post(large)).status, 202);
    const body = `${base}${bindings('"a", "b"')}${webhook(port, "max_body_bytes = 1000\n")}${fault()}`;
    const { actions } = (
      await gateway.admin("POST", "/v1/plan", `[admin]\nlisten = "unix:${home.socketPath}"\n${body}`)
    ).body as { readonly actions: readonly { readonly key: string; readonly action: string }[] };
    assert.deepEqual(
      actions.map(({ key, action }) => `${key} ${action}`),
      ["webhook repolicy", "fault repolicy", "consumer:main keep"],
    );
    await save(gateway, body);
    const after = await settled(gateway);
    assert.deepEqual(after.adapters.map(lifeOf), before.adapters.map(lifeOf));
    assert.equal((await client.post(large)).status, 413);
  });

  it("replaces an adapter that does not take its new policy", async () => {
    const home = new GatewayHome();
    const bindings = `[[bindings]]\nconsumer = "main"\nchannel = "fault"\ndm_allowed_users = ["a"]\n`;
    home.writeConfig(`${base}${fault("rejectPolicy = true")}`);
    await using gateway = await home.start();
    const before = await gateway.reached("fault", "running");
    await save(gateway, `${base}${bindings}${fault("rejectPolicy = true")}`);
    const after = await gateway.reached("fault", "running", ({ generation }) => generation !== before.generation);
    assert.equal(after.attempt, 0);
  });

  it("replaces exactly the adapter whose port changed, and stops exactly the one that left", async () => {
    const home = new GatewayHome();
    const [port, first, second] = [await freePort(), await freePort(), await freePort()];
    home.writeConfig(`${base}${webhook(port)}${fault()}${moving(first)}`);
    await using gateway = await home.start();
    const before = await statusWhere(gateway, ({ adapters }) => adapters.every(({ state }) => state === "running"));
    await save(gateway, `${base}${webhook(port)}${fault()}${moving(second)}`);
    const moved = await settled(gateway);
    assert.deepEqual([await isServed(first), await isServed(second)], [false, true]);
    assert.notEqual(
      adapterOf(moved.adapters, "webhook:moving").generation,
      adapterOf(before.adapters, "webhook:moving").generation,
    );
    await save(gateway, `${base}${webhook(port)}${fault()}`);
    const left = await statusWhere(gateway, ({ adapters }) => adapters.every(({ key }) => key !== "webhook:moving"));
    assert.ok(!(await isServed(second)));
    for (const key of ["webhook", "fault"])
      assert.equal(lifeOf(adapterOf(left.adapters, key)), lifeOf(adapterOf(before.adapters, key)), key);
  });

  it("with an error in one block keeps its last good generation and reconciles the others", async () => {
    const home = new GatewayHome();
    const [port, first, second] = [await freePort(), await freePort(), await freePort()];
    home.writeConfig(`${base}${webhook(port)}${moving(first)}`);
    await using gateway = await home.start();
    const before = await statusWhere(gateway, ({ adapters }) => adapters.every(({ state }) => state === "running"));
    // Its key is wrong, and a new block has never been right.
    await save(gateway, `${base}${webhook(port, "prot = 1\n")}${moving(second)}[messaging.webchat]\nport = "none"\n`);
    const after = await settled(gateway);
    const wrong = adapterOf(after.adapters, "webhook");
    assert.equal(lifeOf(wrong), lifeOf(adapterOf(before.adapters, "webhook")));
    assert.ok(hasCondition(after, "spec_invalid", "webhook"));
    assert.match(JSON.stringify(wrong.conditions), /spec_invalid.*messaging\.webhook\.prot/u);
    assert.ok(hasCondition(after, "spec_invalid", "webchat"));
    assert.equal(adapterOf(after.adapters, "webchat").state, "invalid");
    assert.deepEqual([await isServed(port), await isServed(first), await isServed(second)], [true, false, true]);
    await save(gateway, `${base}${webhook(port)}${moving(second)}`);
    const mended = await statusWhere(gateway, ({ conditions }) => conditions.length === 0);
    assert.equal(lifeOf(adapterOf(mended.adapters, "webhook")), lifeOf(adapterOf(before.adapters, "webhook")));
  });

  it("that is no TOML, or wrong outside of any block, keeps everything and says config_invalid", async () => {
    const home = new GatewayHome();
    const port = await freePort();
    home.writeConfig(`${base}${webhook(port)}`);
    await using gateway = await home.start();
    const before = await gateway.reached("webhook", "running");
    for (const [body, found] of [
      [`${base}[messaging.webhook\nport = 1\n`, /parse/u],
      [`${base}[gatway]\n${webhook(port + 1)}`, /gatway/u],
    ] as const) {
      home.writeConfig(body);
      const status = await statusWhere(gateway, ({ conditions }) =>
        conditions.some(({ code, message }) => code === "config_invalid" && found.test(message)),
      );
      assert.deepEqual(status.adapters.map(lifeOf), [lifeOf(before)]);
      assert.equal((await gateway.admin("GET", "/readyz")).status, 200);
    }
    home.writeConfig(`${base}${webhook(port)}`);
    await statusWhere(gateway, ({ conditions }) => conditions.length === 0);
    assert.deepEqual(await new WebhookClient(port).roundTrip("room", "fine"), ["fine"]);
  });

  it("of a secret's file, followed by a reload, replaces exactly the adapter that uses it", async () => {
    const home = new GatewayHome();
    const port = await freePort();
    home.writeFile("token", "first-token\n");
    home.writeConfig(`${base}${webhook(port)}${fault('token = "file:token"')}`);
    await using gateway = await home.start();
    const before = await statusWhere(gateway, ({ adapters }) => adapters.every(({ state }) => state === "running"));
    home.writeFile("token", "second-token\n");
    const { body } = await gateway.admin("POST", "/v1/reload?wait=30");
    const { actions } = body as { readonly actions: readonly { readonly key: string; readonly action: string }[] };
    assert.deepEqual(
      actions.map(({ key, action }) => `${key} ${action}`),
      ["webhook keep", "fault replace", "consumer:main keep"],
    );
    const after = await gateway.status();
    assert.notEqual(adapterOf(after.adapters, "fault").generation, adapterOf(before.adapters, "fault").generation);
    assert.equal(lifeOf(adapterOf(after.adapters, "webhook")), lifeOf(adapterOf(before.adapters, "webhook")));
    rmSync(join(home.dir, "token"));
    await gateway.admin("POST", "/v1/reload?wait=30");
    const unresolved = await gateway.status();
    assert.ok(hasCondition(unresolved, "spec_invalid", "fault"));
    assert.equal(lifeOf(adapterOf(unresolved.adapters, "fault")), lifeOf(adapterOf(after.adapters, "fault")));
  });

  it("puts journal.max_bytes into force at once: what waits beyond it is refused until there is room again", async () => {
    const home = new GatewayHome();
    const port = await freePort();
    const config = (maxBytes: string): string =>
      `[journal]\nmax_bytes = "${maxBytes}"\n[[consumers]]\nname = "main"\nstream = true\n${webhook(port)}`;
    home.writeConfig(config("1GiB"));
    await using gateway = await home.start();
    await gateway.reached("webhook", "running");
    const client = new WebhookClient(port);
    const message = { conversation_id: "room", content: "x".repeat(900_000) };
    for (let index = 0; index < 4; index += 1) assert.equal((await client.post(message)).status, 202);
    await save(gateway, config("4MiB"));
    assert.equal((await client.post(message)).status, 503);
    const full = await statusWhere(gateway, (status) => hasCondition(status, "journal_full", "webhook"));
    assert.equal(full.journal.maxBytes, 4 * 2 ** 20);
    await save(gateway, config("1GiB"));
    assert.equal((await client.post(message)).status, 202);
    await statusWhere(gateway, ({ conditions }) => conditions.length === 0);
  });

  it("is not delayed by a start that hangs, which ends as start_timeout", async () => {
    const home = new GatewayHome();
    const [first, second] = [await freePort(), await freePort()];
    home.writeConfig(`${base}${webhook(first)}${fault('atStart = "hang"', "start_timeout_ms = 60000")}`);
    await using gateway = await home.start();
    const before = await gateway.reached("webhook", "running");
    await gateway.reached("fault", "starting");
    await save(gateway, `${base}${webhook(second)}${fault('atStart = "hang"', "start_timeout_ms = 60000")}`);
    await gateway.reached("webhook", "running", ({ generation }) => generation !== before.generation);
    assert.ok(await isServed(second));
    assert.equal((await gateway.reached("fault", "starting")).restarts, 0);
    await save(gateway, `${base}${webhook(second)}${fault('atStart = "hang"', "start_timeout_ms = 300")}`);
    const late = await gateway.reached("fault", "backing_off", ({ reason }) => reason === "start_timeout");
    assert.ok(late.nextRetryAt !== null);
    await save(gateway, `${base}${webhook(second)}${fault()}`);
    await gateway.reached("fault", "running");
  });
});

describe("a port that another process holds", () => {
  it("keeps only its adapter waiting, as port_in_use, until the port is free", async () => {
    const home = new GatewayHome();
    const [port, taken] = [await freePort(), await freePort()];
    const holder = createServer().listen(taken, "127.0.0.1");
    // A test that fails must not be kept alive by it.
    holder.unref();
    await new Promise((resolve) => holder.once("listening", resolve));
    home.writeConfig(
      `${base}${webhook(port)}${moving(taken)}[messaging.webhook.instances.supervisor]\nbackoff_min_ms = 60000\nbackoff_max_ms = 60000\n`,
    );
    await using gateway = await home.start();
    const waiting = await gateway.reached("webhook:moving", "backing_off");
    assert.equal(waiting.reason, "port_in_use");
    assert.match(waiting.message ?? "", new RegExp(`127\\.0\\.0\\.1:${taken}`, "u"));
    assert.ok(waiting.userAction !== null);
    await gateway.reached("webhook", "running");
    assert.deepEqual(await new WebhookClient(port).roundTrip("room", "fine"), ["fine"]);
    assert.equal((await gateway.admin("GET", "/readyz")).status, 200);
    await new Promise((resolve) => holder.close(resolve));
    assert.equal((await gateway.admin("POST", "/v1/adapters/webhook:moving/restart")).status, 202);
    await gateway.reached("webhook:moving", "running");
    assert.ok(await isServed(taken));
  });
});

describe("bulkhead check", () => {
  it("exits 2 with every error of every block, each with its path", () => {
    const home = new GatewayHome();
    const path = home.writeFile(
      "wrong.toml",
      `[gateway]\nlog_level = "loud"\n[messaging.webhook]\nport = "x"\nprot = 1\n[messaging.webchat]\nport = 99999\n` +
        `[messaging.acme]\nmodule = "./missing.ts"\n[messaging.slack]\nbot_token = "env:BULKHEAD_TEST_UNSET"\n[[consumers]]\nname = "main"\n`,
    );
    const { status, stderr } = spawnSync(process.execPath, [cliPath, "check", path], { encoding: "utf8" });
    assert.equal(status, 2);
    for (const errorPath of [
      "gateway.log_level",
      "messaging.webhook.port",
      "messaging.webhook.prot",
      "messaging.webchat.port",
      "messaging.acme.module",
      "messaging.slack.bot_token",
      "consumers[0]",
    ])
      assert.ok(stderr.includes(errorPath), `${errorPath} is not in:\n${stderr}`);
  });
});
