/** An operator's pause in real processes: it is kept until somebody ends it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { freePort, GatewayHome, type RunningGateway } from "../support/gateway-fixture.ts";

const consumer = `[[consumers]]\nname = "main"\nbuiltin = "echo"\n`;

async function order(gateway: RunningGateway, verb: "pause" | "resume" | "restart"): Promise<void> {
  assert.equal((await gateway.admin("POST", `/v1/adapters/webhook/${verb}`)).status, 202);
}

describe("a paused adapter", () => {
  it("is paused after a kill -9 of the gateway right behind the answer, and after an orderly restart, until it is resumed", async () => {
    const home = new GatewayHome();
    home.writeConfig(`${consumer}[messaging.webhook]\nport = ${await freePort()}\n`);
    {
      await using gateway = await home.start();
      await gateway.reached("webhook", "running");
      await order(gateway, "pause");
      gateway.signal("SIGKILL");
      await gateway.ended;
    }
    {
      await using gateway = await home.start();
      const { reason, generation } = await gateway.reached("webhook", "paused");
      assert.deepEqual([reason, generation], ["operator", null]);
      gateway.signal("SIGTERM");
      assert.equal(await gateway.ended, 0);
    }
    {
      await using gateway = await home.start();
      await gateway.reached("webhook", "paused");
      await order(gateway, "resume");
      await gateway.reached("webhook", "running");
      gateway.signal("SIGKILL");
      await gateway.ended;
    }
    await using gateway = await home.start();
    await gateway.reached("webhook", "running");
  });

  it("runs when its block was removed while the gateway was down, and added again", async () => {
    const home = new GatewayHome();
    const webhook = `[messaging.webhook]\nport = ${await freePort()}\n`;
    home.writeConfig(consumer + webhook);
    {
      await using gateway = await home.start();
      await gateway.reached("webhook", "running");
      await order(gateway, "pause");
      gateway.signal("SIGTERM");
      await gateway.ended;
    }
    home.writeConfig(consumer);
    await using gateway = await home.start();
    home.writeConfig(consumer + webhook);
    await gateway.reached("webhook", "running");
  });
});
