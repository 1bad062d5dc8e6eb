import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { createGateway, type Gateway } from "../src/library.ts";
import { faultAdapterPath, freePort, GatewayHome, WebhookClient } from "./support/gateway-fixture.ts";

const faultAdapterUrl = pathToFileURL(faultAdapterPath).href;

/** A gateway in this process, its state in a directory of its own. */
async function libraryGateway(): Promise<{
  gateway: Gateway;
  home: GatewayHome;
  client: WebhookClient;
  config: string;
}> {
  const home = new GatewayHome();
  const port = await freePort();
  const config = `[messaging.webhook]\nport = ${port}\n`;
  home.writeConfig(config);
  const gateway = await createGateway({ config: home.configPath, log: () => {} });
  return { gateway, home, client: new WebhookClient(port), config };
}

/** Resolves when `key` is in `state`. */
async function reached(gateway: Gateway, key: string, state: string): Promise<void> {
  const seen = new AbortController();
  const events = gateway.events(seen.signal)[Symbol.asyncIterator]();
  for (;;) {
    const next = events.next();
    if (gateway.status().adapters.some((adapter) => adapter.key === key && adapter.state === state)) break;
    await next;
  }
  seen.abort();
}

/** Runs `program` as a module in a process of its own, with `preload` (JavaScript) before it. */
async function runModule(program: string, preload: string) {
  const asUrl = (text: string): string => `data:text/javascript,${encodeURIComponent(text)}`;
  const child = spawn(process.execPath, ["--import", asUrl(preload), "--input-type=module", "--eval", program], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [out, err] = ["", ""];
  child.stdout.on("data", (chunk) => (out += String(chunk)));
  child.stderr.on("data", (chunk) => (err += String(chunk)));
  const [exitCode] = (await once(child, "close")) as [number | null];
  return { exitCode, out, err };
}

describe("the library's entry", () => {
  const url = new URL("../src/library.ts", import.meta.url).href;
  const top = new URL("../", import.meta.url).href;

  it("loads nothing of the gateway until one is created: adapters and handlers import it into their threads", async () => {
    const preload = `
      import { registerHooks } from "node:module";
      globalThis.loaded = [];
      registerHooks({ load: (url, context, next) => { loaded.push(url); return next(url, context); } });`;
    const program = `
      const library = await import(${JSON.stringify(url)});
      const atImport = [...loaded];
      await library.createGateway({ config: { nonsense: {} }, log: () => {} }).catch(() => {});
      console.log(JSON.stringify({ atImport, names: Object.keys(library), later: loaded.slice(atImport.length) }));`;
    const { out, err } = await runModule(program, preload);
    assert.equal(err, "");
    const { atImport, names, later } = JSON.parse(out) as Record<string, string[]>;
    assert.deepEqual(names, ["GatewayError", "RejectMessage", "createGateway", "defineAdapter", "defineHandler"]);
    // All of it: a module of Node's that an older one does not know would keep that one from saying so in a sentence.
    assert.deepEqual(atImport?.map((each) => each.replace(top, "")).sort(), [
      "node:path",
      "src/contract/errors.ts",
      "src/contract/reject-message.ts",
      "src/library.ts",
      "src/support/required-node.ts",
    ]);
    for (const part of ["src/coordinator.ts", "src/gateway/", "/zod/", "/piscina/", "workers/catalog.ts"])
      assert.ok(
        later?.some((each) => each.includes(part)),
        `${part} is loaded when a gateway is created`,
      );
  });

  it("tells an older Node in one sentence what it needs", async () => {
    const preload = `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.11.1" } });`;
    const { exitCode, err } = await runModule(`await import(${JSON.stringify(url)});`, preload);
    assert.equal(exitCode, 1);
    assert.match(err, /^Error: Cannot load bulkhead: found Node 20\.11\.1, expected >=24\.15$/m);
  });
});

describe("createGateway()", () => {
  it("gives messages to a for-await loop, sends its responses, and acks", async () => {
    const { gateway, client } = await libraryGateway();
    await using _gateway = gateway;
    await reached(gateway, "webhook", "running");
    const posted = await client.post({ conversation_id: "room", content: "hello" });
    for await (const delivery of gateway.messages("main")) {
      assert.equal(delivery.message.id, posted.id);
      await delivery.respond(`heard ${delivery.message.text}`);
      await delivery.ack();
      break;
    }
    assert.deepEqual((await client.poll("room")).texts, ["heard hello"]);
    assert.equal(gateway.status().consumers[0]?.kind, "library");
  });

  it("hands a nacked message out again, as a further attempt", async () => {
    const { gateway, client } = await libraryGateway();
    await using _gateway = gateway;
    await reached(gateway, "webhook", "running");
    await client.post({ conversation_id: "room", content: "again" });
    const attempts: number[] = [];
    for await (const delivery of gateway.messages("main")) {
      attempts.push(delivery.message.attempt);
      if (attempts.length === 2) {
        await delivery.ack();
        break;
      }
      await delivery.nack(0);
    }
    assert.deepEqual(attempts, [1, 2]);
  });

  it("keeps an adapter that code registered through every reload, until code unregisters it", async () => {
    const { gateway, home, config } = await libraryGateway();
    await using _gateway = gateway;
    gateway.register("fault", faultAdapterUrl, { atStart: "ok" });
    await reached(gateway, "fault", "running");
    const generation = gateway.status().adapters.find(({ key }) => key === "fault")?.generation;
    home.writeConfig(`${config}dm_allowed_users = []\n`.replace("dm_allowed_users = []", "max_body_bytes = 2048"));
    const report = await gateway.reload({ waitMs: 10_000 });
    assert.equal(report.ok, true);
    const fault = gateway.status().adapters.find(({ key }) => key === "fault");
    assert.deepEqual([fault?.owner, fault?.generation, fault?.restarts], ["shared", generation, 0]);
    assert.throws(() => gateway.register("fault", faultAdapterUrl), { code: "conflict" });
    assert.throws(() => gateway.unregister("webhook"), { code: "not_found" });
    gateway.unregister("fault");
    await assert.rejects(gateway.send("nobody/x", "hi"), { code: "not_found" });
  });

  it("takes the config as a value, and says all that is wrong with one at once", async () => {
    const config = {
      gateway: { state_dir: join(new GatewayHome().dir, "data"), colour: "red" },
      messaging: { discrod: {} },
    };
    await assert.rejects(createGateway({ config, log: () => {} }), (error: Error & { code: string }) => {
      assert.equal(error.code, "config_invalid");
      assert.match(error.message, /gateway\.colour/);
      assert.match(error.message, /discrod.*discord/);
      return true;
    });
  });

  it("plans for a value, a file and TOML alike", async () => {
    const { gateway, home, config } = await libraryGateway();
    await using _gateway = gateway;
    await reached(gateway, "webhook", "running");
    const port = await freePort();
    const other = home.writeFile("other.toml", `[messaging.webhook]\nport = ${port}\n`);
    for (const subject of [{ messaging: { webhook: { port } } }, other, `[messaging.webhook]\nport = ${port}\n`]) {
      const { actions, errors } = await gateway.plan(subject);
      assert.deepEqual(errors, []);
      const webhook = actions.find(({ key }) => key === "webhook");
      assert.deepEqual([webhook?.action, webhook?.fields], ["replace", ["port"]]);
    }
    const same = await gateway.plan(config);
    assert.equal(same.actions.find(({ key }) => key === "webhook")?.action, "keep");
    const missing = await gateway.plan("nowhere.toml");
    assert.match(missing.errors[0]?.message ?? "", /nowhere\.toml: no such file/u);
  });

  it("sends through an adapter of code's own and reports the platform's receipt", async () => {
    const { gateway } = await libraryGateway();
    await using _gateway = gateway;
    gateway.register("fault", faultAdapterUrl);
    await reached(gateway, "fault", "running");
    const { id } = await gateway.send("fault/room", "hello", { idempotencyKey: "k1" });
    const again = await gateway.send("fault/room", "hello", { idempotencyKey: "k1" });
    assert.equal(again.id, id);
  });
});
