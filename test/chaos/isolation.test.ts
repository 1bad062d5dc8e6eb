/** What one adapter or handler does to itself, and what the others notice of it: nothing. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { text as textOf } from "node:stream/consumers";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import type { AdapterStatus } from "../../src/contract/status.ts";
import {
  faultAdapterPath,
  freePort,
  GatewayHome,
  WebhookClient,
  type LogLine,
  type RunningGateway,
} from "../support/gateway-fixture.ts";
import { hasCondition, statusWhere } from "../support/gateway-events.ts";
import { rssBytesOf } from "../support/processes-of.ts";

const cliPath = fileURLToPath(new URL("../../src/cli.ts", import.meta.url));
const supervisor = "[supervisor]\nbackoff_min_ms = 50\nbackoff_max_ms = 200\n";
const echo = `[[consumers]]\nname = "main"\nbuiltin = "echo"\n`;

function adapterOf(adapters: readonly AdapterStatus[], key: string): AdapterStatus {
  const found = adapters.find((adapter) => adapter.key === key);
  assert.ok(found !== undefined, `there is no ${key}`);
  return found;
}

/** A place for a gateway with a webhook beside `rest`. */
async function home(rest: string): Promise<{ home: GatewayHome; client: WebhookClient; config: string }> {
  const made = new GatewayHome();
  const port = await freePort();
  const config = `${supervisor}${rest}[messaging.webhook]\nport = ${port}\n`;
  made.writeConfig(config);
  return { home: made, client: new WebhookClient(port), config };
}

describe("an adapter that floods", () => {
  it("is held back or ended at its memory limit while the webhook is served, and memory stays bounded", async () => {
    const { home: place, client } = await home(`${echo}[messaging.fault]\nmodule = "${faultAdapterPath}"\n`);
    await using gateway = await place.start();
    const before = await statusWhere(gateway, ({ adapters }) => adapters.every(({ state }) => state === "running"));
    let isOver = false;
    const over = gateway.nextLogged(
      ({ event, key, state }) => event === "adapter-state" && key === "fault" && state === "running",
    );
    void over.then(() => (isOver = true));
    await gateway.provoke("fault", { do: "flood", count: 1_000_000 });
    let greatestBytes = 0;
    const processes = [gateway.pid, ...before.hosts.map(({ pid }) => pid)];
    let roundTrips = 0;
    while (!isOver) {
      roundTrips += 1;
      assert.deepEqual(await client.roundTrip("room", `${roundTrips}`), [`${roundTrips}`]);
      greatestBytes = Math.max(greatestBytes, ...processes.map(rssBytesOf));
    }
    const { adapters } = await gateway.status();
    const flooder = adapterOf(adapters, "fault");
    assert.deepEqual(flooder.restartsByReason, { memory_limit: 1 });
    assert.ok(flooder.messages.in > 0, "nothing of the flood was accepted");
    assert.ok(roundTrips > 10, `${roundTrips} round trips`);
    assert.ok(greatestBytes < 1.5 * 2 ** 30, `${greatestBytes} bytes`);
    const webhook = adapterOf(adapters, "webhook");
    assert.deepEqual([webhook.restarts, webhook.generation], [0, adapterOf(before.adapters, "webhook").generation]);
  });

  it("that waits for each answer gets all of it accepted", async () => {
    const { home: place, client } = await home(
      `[[consumers]]\nname = "main"\nbuiltin = "echo"\n[[consumers]]\nname = "unread"\nstream = true\n` +
        `[[bindings]]\nconsumer = "unread"\nchannel = "fault"\n[messaging.fault]\nmodule = "${faultAdapterPath}"\n`,
    );
    await using gateway = await place.start();
    await gateway.reached("webhook", "running");
    await gateway.reached("fault", "running");
    const flood = gateway.provoke("fault", { do: "emit", count: 50_000, conversation: "flood" });
    for (let index = 0; index < 50; index += 1)
      assert.deepEqual(await client.roundTrip("room", `${index}`), [`${index}`]);
    await flood;
    const status = await statusWhere(
      gateway,
      ({ adapters }) =>
        adapterOf(adapters, "fault").messages.in === 50_000 && adapterOf(adapters, "fault").queue.pending === 50_000,
    );
    assert.equal(adapterOf(status.adapters, "fault").restarts, 0);
  });
});

describe("an adapter that kills its host at every start", () => {
  it("is alone in a host after the second time, and the others run", async () => {
    const killer = `[messaging.fault]\nmodule = "${faultAdapterPath}"\n[messaging.fault.settings]\natStart = "kill-host"\n`;
    // The same module is there from the start: the shared host may read it, and takes the killer in.
    const { home: place, client, config } = await home(`${echo}[messaging.calm]\nmodule = "${faultAdapterPath}"\n`);
    await using gateway = await place.start();
    await gateway.reached("webhook", "running");
    place.writeConfig(config + killer);
    await statusWhere(gateway, (seen) => hasCondition(seen, "host_quarantine", "fault"));
    // Its own hosts die on, one after the other; nobody else lives there.
    const alone = await gateway.reached("fault", "backing_off");
    assert.equal(alone.reason, "host_died");
    const webhook = await gateway.reached("webhook", "running");
    assert.equal(webhook.host?.kind, "shared");
    assert.deepEqual([webhook.attempt, Object.keys(webhook.restartsByReason)], [0, ["host_died"]]);
    const generations = webhook.generation;
    await gateway.reached("fault", "backing_off", ({ attempt }) => attempt > alone.attempt);
    assert.deepEqual(await client.roundTrip("room", "fine"), ["fine"]);
    assert.equal((await gateway.reached("webhook", "running")).generation, generations);
    const isOwn = ({ event, kind }: LogLine): boolean => event === "host-started" && kind === "own";
    assert.ok(gateway.log.some(isOwn));
    const shared = (await gateway.status()).hosts.filter(({ kind }) => kind === "shared");
    assert.deepEqual(
      shared.map(({ keys }) => keys.toSorted()),
      [["calm", "webhook"]],
    );
  });
});

describe("an adapter that kills its host at every start, in a gateway that starts", () => {
  it("is told from those that start with it: they come back to the shared host", async () => {
    const names = ["a", "b", "c", "d", "e"];
    const instances = names.map((name) => `[[messaging.fault.instances]]\nname = "${name}"\n`).join("");
    const fault = `[messaging.fault]\nmodule = "${faultAdapterPath}"\n[messaging.fault.settings]\natStart = "kill-host"\n`;
    const { home: place, client } = await home(`${echo}${fault}${instances}`);
    await using gateway = await place.start();
    const innocents = ["webhook", ...names.map((name) => `fault:${name}`)];
    const status = await statusWhere(
      gateway,
      (seen) =>
        hasCondition(seen, "host_quarantine", "fault") &&
        innocents.every((key) => adapterOf(seen.adapters, key).state === "running"),
    );
    for (const key of innocents) {
      const { host, conditions, attempt, restartsByReason } = adapterOf(status.adapters, key);
      assert.deepEqual([host?.kind, conditions, attempt], ["shared", [], 0], key);
      assert.ok((restartsByReason["host_died"] ?? 0) <= 2, `${key}: ${JSON.stringify(restartsByReason)}`);
    }
    assert.deepEqual(await client.roundTrip("room", "fine"), ["fine"]);
  });
});

const handler = `const fixed = new URL("./fixed", import.meta.url);
import { existsSync } from "node:fs";
const never = new Promise(() => {});
export default async function handle({ text, attempt, redelivered }, { extend, signal }) {
  if (text === "spin" && attempt === 1) for (;;);
  if (text === "bystander" && !redelivered) {
    await extend(60_000);
    console.log("bystander-waits");
    await never;
  }
  if (text.startsWith("bad") && !existsSync(fixed)) throw new Error("the handler does not like " + text);
  return text + " " + attempt + " " + redelivered;
}
`;

/** Runs the command line against a gateway. */
async function cli(gateway: RunningGateway, ...args: readonly string[]): Promise<{ exitCode: number; output: string }> {
  const child = spawn(process.execPath, [cliPath, "--config", gateway.home.configPath, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = new Promise<number>((resolve) => child.once("exit", (code) => resolve(code ?? -1)));
  const [output, complaints] = await Promise.all([textOf(child.stdout), textOf(child.stderr)]);
  return { exitCode: await ended, output: output + complaints };
}

describe("a consumer's handler", () => {
  it("that spins is ended after its time: its message comes again as attempt 2, a co-runner's uncounted", async () => {
    const { home: place, client } = await home(
      `[[consumers]]\nname = "main"\nmodule = "./handler.mjs"\ntimeout_ms = 500\n` +
        `[[consumers]]\nname = "other"\nbuiltin = "echo"\n`,
    );
    place.writeFile("handler.mjs", handler);
    await using gateway = await place.start();
    const before = await gateway.reached("webhook", "running");
    const waits = gateway.logged((line) => JSON.stringify(line).includes("bystander-waits"));
    await client.post({ conversation_id: "b", content: "bystander" });
    await waits;
    const ended = gateway.nextLogged(({ event }) => event === "consumer-thread-ended");
    await client.post({ conversation_id: "a", content: "spin" });
    let isEnded = false;
    void ended.then(() => (isEnded = true));
    for (let index = 0; !isEnded; index += 1) {
      await client.post({ conversation_id: "c", content: `${index}`, consumer: "other" });
      assert.deepEqual((await client.poll("c")).texts, [`${index}`]);
    }
    assert.deepEqual((await client.poll("a")).texts, ["spin 2 true"]);
    assert.deepEqual((await client.poll("b")).texts, ["bystander 1 true"]);
    const { adapters, consumers } = await gateway.status();
    assert.deepEqual([adapters[0]?.restarts, adapters[0]?.generation], [0, before.generation]);
    assert.deepEqual(
      consumers.map(({ dead }) => dead),
      [0, 0],
    );
  });

  it("that always throws fills the dead letters, which can be listed, shown, retried and dropped", async () => {
    const { home: place, client } = await home(
      `[[consumers]]\nname = "main"\nmodule = "./handler.mjs"\nmax_attempts = 2\n`,
    );
    place.writeFile("handler.mjs", handler);
    await using gateway = await place.start();
    await gateway.reached("webhook", "running");
    const ids: string[] = [];
    for (const name of ["bad-1", "bad-2", "bad-3"])
      ids.push((await client.post({ conversation_id: name, content: name })).id);
    for (const name of ["bad-1", "bad-2", "bad-3"]) {
      await client.post({ conversation_id: name, content: "after" });
      assert.deepEqual((await client.poll(name)).texts, ["after 1 false"], "its lane goes on");
    }
    assert.equal((await gateway.status()).consumers[0]?.dead, 3);
    await statusWhere(gateway, (status) => hasCondition(status, "dead_letters"));

    const list = await cli(gateway, "dead-letters", "list");
    assert.equal(list.exitCode, 0, list.output);
    for (const id of ids) assert.ok(list.output.includes(id), list.output);
    assert.match(list.output, /does not like bad-1/u);
    const shown = await cli(gateway, "dead-letters", "show", ids[0] ?? "");
    assert.equal(shown.exitCode, 0, shown.output);
    assert.match(shown.output, /"text": "bad-1"/u);
    assert.equal((await cli(gateway, "dead-letters", "show", "nobody")).exitCode, 1);

    place.writeFile("fixed", "");
    assert.equal((await cli(gateway, "dead-letters", "retry", ids[0] ?? "")).exitCode, 0);
    assert.deepEqual((await client.poll("bad-1")).texts, ["bad-1 1 true"]);
    assert.equal((await cli(gateway, "dead-letters", "drop", ids[1] ?? "")).exitCode, 0);
    assert.equal((await cli(gateway, "dead-letters", "retry", "--all")).exitCode, 0);
    assert.deepEqual((await client.poll("bad-3")).texts, ["bad-3 1 true"]);
    await statusWhere(gateway, ({ consumers, conditions }) => consumers[0]?.dead === 0 && conditions.length === 0);
    const none = await cli(gateway, "--json", "dead-letters", "list");
    assert.deepEqual(JSON.parse(none.output), { deadLetters: [] });
    // A later message shows that nothing came before it.
    await client.post({ conversation_id: "bad-2", content: "later" });
    assert.deepEqual((await client.poll("bad-2")).texts, ["later 1 false"]);
  });
});
