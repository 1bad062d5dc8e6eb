/** Consumers and the router under a running gateway: what a reload says of them, and what it leaves alone. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { text as textOf } from "node:stream/consumers";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import type { ReloadAction } from "../../src/contract/control.ts";
import { freePort, GatewayHome, WebhookClient, type RunningGateway } from "../support/gateway-fixture.ts";

const cliPath = fileURLToPath(new URL("../../src/cli.ts", import.meta.url));

/** `reload --wait --json`: the exit code, and what it says of the consumer. */
async function reload(gateway: RunningGateway): Promise<{ readonly code: number; readonly consumer: ReloadAction }> {
  const args = [cliPath, "--config", gateway.home.configPath, "--json", "reload", "--wait", "30"];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise<number>((resolve) => child.once("exit", (code) => resolve(code ?? -1)));
  const { actions } = JSON.parse(await textOf(child.stdout)) as { readonly actions: readonly ReloadAction[] };
  const consumer = actions.find(({ key }) => key === "consumer:main");
  assert.ok(consumer !== undefined);
  return { code: await ended, consumer };
}

const answering = (answer: string): string => `export default () => ${JSON.stringify(answer)};\n`;
const consumer = `[[consumers]]\nname = "main"\nmodule = "./handler.mjs"\n`;

describe("a reload that waits", () => {
  it("fails with the reason when a handler's module throws at load, and is done when the next one runs", async () => {
    const home = new GatewayHome();
    const port = await freePort();
    home.writeFile("handler.mjs", answering("first"));
    home.writeConfig(`${consumer}[messaging.webhook]\nport = ${port}\n`);
    await using gateway = await home.start();
    await gateway.reached("webhook", "running");
    const client = new WebhookClient(port);
    assert.deepEqual(await client.roundTrip("room", "hello"), ["first"]);

    home.writeFile("handler.mjs", `throw new Error("no database at hand");\n`);
    const failed = await reload(gateway);
    assert.deepEqual([failed.code, failed.consumer.action, failed.consumer.outcome], [1, "replace", "failed"]);
    assert.match(failed.consumer.reason, /; failed: .*no database at hand/u);

    home.writeFile("handler.mjs", answering("second"));
    const done = await reload(gateway);
    assert.deepEqual([done.code, done.consumer.action, done.consumer.outcome], [0, "replace", "done"]);
    assert.deepEqual(await client.roundTrip("room", "hello"), ["second"]);
  });

  it("is not done while the predecessor still handles a message", async () => {
    const home = new GatewayHome();
    const port = await freePort();
    home.writeFile(
      "handler.mjs",
      `export default (message, context) => new Promise((resolve) => {
        console.log("handler-waits");
        setInterval(() => {}, 1000);
      });\n`,
    );
    home.writeConfig(`${consumer}[messaging.webhook]\nport = ${port}\n`);
    await using gateway = await home.start();
    await gateway.reached("webhook", "running");
    await new WebhookClient(port).post({ conversation_id: "room", content: "hello" });
    await gateway.logged((line) => JSON.stringify(line).includes("handler-waits"));
    home.writeFile("handler.mjs", answering("second"));
    const { body } = await gateway.admin("POST", "/v1/reload?wait=1");
    const { actions } = body as { readonly actions: readonly ReloadAction[] };
    assert.equal(actions.find(({ key }) => key === "consumer:main")?.outcome, "pending");
  });
});

describe("a change of authority and settings", () => {
  it("holds for the next message, and touches neither the adapter nor the consumer", async () => {
    const home = new GatewayHome();
    const port = await freePort();
    home.writeFile(
      "handler.mjs",
      `export default ({ metadata }) => JSON.stringify([metadata.sender_is_authority, metadata.binding_settings]);\n`,
    );
    const config = (binding: string, own = ""): string =>
      `${consumer}${binding}[messaging.webhook]\nport = ${port}\n${own}`;
    const bound = (authority: string, model: string): string =>
      `[[bindings]]\nconsumer = "main"\nchannel = "webhook"\n${authority}settings = { model = "${model}" }\n`;
    home.writeConfig(config(bound('authority = ["ann"]\n', "small")));
    await using gateway = await home.start();
    const before = await gateway.reached("webhook", "running");
    const client = new WebhookClient(port);
    const told = async (sender: string): Promise<unknown> => {
      await client.post({ conversation_id: sender, content: "hello", sender_id: sender });
      return JSON.parse((await client.poll(sender)).texts[0] ?? "null");
    };
    const { consumers } = await gateway.status();
    assert.deepEqual(await told("ann"), [true, { model: "small" }]);
    assert.deepEqual(await told("bob"), [false, { model: "small" }]);

    const saves: readonly (readonly [body: string, ann: unknown, bob: unknown])[] = [
      [config(bound('authority = ["bob"]\n', "large")), [false, { model: "large" }], [true, { model: "large" }]],
      [config(bound("", "large"), 'authority = ["ann"]\n'), [true, { model: "large" }], [false, { model: "large" }]],
      [config("", 'authority = ["ann"]\n'), [true, {}], [false, {}]],
      [config(bound("authority = []\n", "x"), 'authority = ["ann"]\n'), [true, { model: "x" }], [true, { model: "x" }]],
    ];
    for (const [body, ann, bob] of saves) {
      const accepted = gateway.nextLogged(({ event }) => event === "config-accepted");
      home.writeConfig(body);
      await accepted;
      assert.deepEqual([await told("ann"), await told("bob")], [ann, bob]);
    }
    const after = await gateway.status();
    assert.deepEqual(
      after.adapters.map(({ generation }) => generation),
      [before.generation],
    );
    assert.deepEqual(
      after.consumers.map(({ host }) => host),
      consumers.map(({ host }) => host),
    );
  });
});
