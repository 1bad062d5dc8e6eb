/** The end of a gateway: it always comes, and what was unfinished is there again after the next start. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { faultAdapterPath, freePort, GatewayHome, WebhookClient } from "../support/gateway-fixture.ts";

/** Writes a log line for each message; `hold` never ends, `slow` ends when the file `release` appears beside it. */
const handler = `
import { existsSync, watch } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
const here = dirname(fileURLToPath(import.meta.url));
export default async function handle(message, context) {
  context.log.info("handling", { text: message.text, attempt: message.attempt, redelivered: message.redelivered });
  if (message.text === "hold" && !message.redelivered) await new Promise(() => {});
  if (message.text === "slow") {
    await new Promise((resolve) => {
      watch(here, () => existsSync(join(here, "release")) && resolve());
      if (existsSync(join(here, "release"))) resolve();
    });
  }
  return "done " + message.text;
}
`;

async function handlerGateway(gatewayTable = "", rest = "") {
  const home = new GatewayHome();
  const port = await freePort();
  home.writeFile("handler.mjs", handler);
  home.writeConfig(
    `[gateway]\n${gatewayTable}\n[[consumers]]\nname = "main"\nmodule = "./handler.mjs"\n${rest}\n[messaging.webhook]\nport = ${port}\n`,
  );
  return { home, client: new WebhookClient(port) };
}

const handling = (text: string) => (line: Readonly<Record<string, unknown>>) =>
  line["event"] === "handling" && line["text"] === text;

describe("shutdown", () => {
  it("lets a handler in flight finish; its reply is there after the next start", async () => {
    const { home, client } = await handlerGateway();
    await using first = await home.start();
    await first.reached("webhook", "running");
    await client.post({ conversation_id: "room", content: "slow" });
    await first.logged(handling("slow"));
    first.signal("SIGTERM");
    await first.logged(({ event }) => event === "gateway-stopping");
    home.writeFile("release", "");
    assert.equal(await first.ended, 0);
    await using second = await home.start();
    await second.reached("webhook", "running");
    assert.deepEqual((await client.poll("room")).texts, ["done slow"]);
    assert.equal(second.log.some(handling("slow")), false);
  });

  it("ends in time with a handler that does not, and hands its message out again, the attempt not counted", async () => {
    const { home, client } = await handlerGateway("shutdown_timeout_ms = 3000");
    await using first = await home.start();
    await first.reached("webhook", "running");
    await client.post({ conversation_id: "room", content: "hold" });
    await first.logged(handling("hold"));
    first.signal("SIGTERM");
    assert.equal(await first.ended, 0);
    await using second = await home.start();
    await second.reached("webhook", "running");
    const again = await second.logged(handling("hold"));
    assert.deepEqual([again["attempt"], again["redelivered"]], [1, true]);
    assert.deepEqual((await client.poll("room")).texts, ["done hold"]);
  });

  it("ends at once at a second signal", async () => {
    const { home, client } = await handlerGateway();
    await using gateway = await home.start();
    await gateway.reached("webhook", "running");
    await client.post({ conversation_id: "room", content: "hold" });
    await gateway.logged(handling("hold"));
    gateway.signal("SIGTERM");
    await gateway.logged(({ event }) => event === "gateway-stopping");
    gateway.signal("SIGTERM");
    assert.equal(await gateway.ended, "SIGKILL");
  });

  it("does not wait for an adapter whose stop hangs", async () => {
    const fault = `[messaging.fault]\nmodule = "${faultAdapterPath}"\n[messaging.fault.settings]\natStop = "hang"\n[messaging.fault.supervisor]\nstop_timeout_ms = 300\n`;
    const { home } = await handlerGateway("", fault);
    await using gateway = await home.start();
    await gateway.reached("fault", "running");
    gateway.signal("SIGTERM");
    assert.equal(await gateway.ended, 0);
    assert.ok(gateway.log.some(({ event }) => event === "adapter-stop-timeout"));
  });

  it("refuses new messages with 503 while it drains", async () => {
    const { home, client } = await handlerGateway();
    await using gateway = await home.start();
    await gateway.reached("webhook", "running");
    await client.post({ conversation_id: "room", content: "slow" });
    await gateway.logged(handling("slow"));
    gateway.signal("SIGTERM");
    await gateway.logged(({ event }) => event === "gateway-stopping");
    assert.equal((await client.post({ conversation_id: "room", content: "too late" })).status, 503);
    home.writeFile("release", "");
    assert.equal(await gateway.ended, 0);
  });

  it("works inline, where the threads are the coordinator's own", async () => {
    const { home, client } = await handlerGateway("", `[hosts]\nmode = "inline"\n`);
    await using gateway = await home.start();
    const webhook = await gateway.reached("webhook", "running");
    assert.deepEqual([webhook.host?.kind, webhook.host?.pid], ["inline", gateway.pid]);
    assert.deepEqual(await client.roundTrip("room", "hello"), ["done hello"]);
    gateway.signal("SIGTERM");
    assert.equal(await gateway.ended, 0);
  });
});
