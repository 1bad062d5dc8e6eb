/** Native code that takes its process down: the host of adapters, or the one of handlers, and nothing beyond it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { GatewayStatus } from "../../src/contract/status.ts";
import { statusWhere } from "../support/gateway-events.ts";
import {
  faultAdapterPath,
  freePort,
  GatewayHome,
  WebhookClient,
  type LogLine,
  type RunningGateway,
} from "../support/gateway-fixture.ts";
import { processesOf } from "../support/processes-of.ts";

const handler = `export default ({ text, attempt }) => {
  if (text.startsWith("SIG") && attempt === 1) process.kill(process.pid, text);
  return "did " + text + " at attempt " + attempt;
};
`;
/**
 * From a host's death to the last of its adapters, or to its handlers, running again. It takes well under 2 s where the
 * machine has nothing else to do, which the benchmarks show; here others may have both cores. Whoever waits for what comes
 * by itself (a look at the config every 30 s, a backoff that has grown) or for a person is far beyond it.
 */
const backWithinMs = 10_000;

/** The events' own times: what this test's process waited is not in it. */
function millisecondsBetween(first: LogLine, last: LogLine): number {
  return Date.parse(String(last["time"])) - Date.parse(String(first["time"]));
}

const isAllRunning = ({ adapters }: GatewayStatus): boolean => adapters.every(({ state }) => state === "running");

async function start(): Promise<{ gateway: RunningGateway; client: WebhookClient }> {
  const home = new GatewayHome();
  home.writeFile("handler.mjs", handler);
  const port = await freePort();
  home.writeConfig(
    `[[consumers]]\nname = "main"\nmodule = "./handler.mjs"\n[messaging.webhook]\nport = ${port}\n` +
      `[messaging.fault]\nmodule = "${faultAdapterPath}"\n[messaging.calm]\nmodule = "${faultAdapterPath}"\n` +
      `[messaging.alone]\nmodule = "${faultAdapterPath}"\n[messaging.alone.supervisor]\nisolation = "process"\n`,
  );
  return { gateway: await home.start(), client: new WebhookClient(port) };
}

function generationsOf({ adapters }: GatewayStatus): Readonly<Record<string, number | null>> {
  return Object.fromEntries(adapters.map(({ key, generation }) => [key, generation]));
}

for (const signal of ["SIGSEGV", "SIGABRT"] as const) {
  describe(`${signal} in a host of adapters`, () => {
    it("ends its adapters, which are back in a new one; no other host and no handler notices", async () => {
      const { gateway, client } = await start();
      await using _gateway = gateway;
      const before = await statusWhere(gateway, isAllRunning);
      const host = before.adapters.find(({ key }) => key === "fault")?.host?.pid;
      const dying = gateway.nextLogged(({ event, hostPid }) => event === "host-died" && hostPid === host);
      await gateway.provoke("fault", { do: "signal-host", signal });
      const died = await dying;
      assert.match(JSON.stringify(died), new RegExp(signal, "u"), "the log says what it died of");
      const after = await statusWhere(
        gateway,
        (status) => isAllRunning(status) && status.hosts.every(({ pid }) => pid !== host),
      );
      const [was, is] = [generationsOf(before), generationsOf(after)];
      for (const key of ["webhook", "fault", "calm"]) {
        assert.notEqual(is[key], was[key], key);
        const running = await gateway.logged(
          (line) => line.event === "adapter-state" && line["generation"] === is[key] && line["state"] === "running",
        );
        const awayMs = millisecondsBetween(died, running);
        assert.ok(awayMs <= backWithinMs, `${key} was away for ${awayMs} ms`);
      }
      assert.equal(is["alone"], was["alone"]);
      assert.ok(
        after.adapters.every(({ attempt }) => attempt === 0),
        "nobody is blamed for one death",
      );
      assert.deepEqual(await client.roundTrip("room", "fine"), ["did fine at attempt 1"]);
      const listed = new Set([gateway.pid, ...after.hosts.map(({ pid }) => pid)]);
      const running = processesOf(gateway.home.dir).filter(({ isZombie }) => !isZombie);
      assert.deepEqual(new Set(running.map(({ pid }) => pid)), listed);
    });
  });

  describe(`${signal} in a handler`, () => {
    it("costs one attempt of its message; no adapter notices", async () => {
      const { gateway, client } = await start();
      await using _gateway = gateway;
      const before = await statusWhere(gateway, isAllRunning);
      assert.deepEqual(await client.roundTrip("other", "before"), ["did before at attempt 1"]);
      const dying = gateway.nextLogged(({ event }) => event === "host-died");
      assert.deepEqual(await client.roundTrip("room", signal), [`did ${signal} at attempt 2`]);
      const died = await dying;
      const isLater = (line: LogLine): boolean => gateway.log.indexOf(line) > gateway.log.indexOf(died);
      const running = await gateway.logged((line) => line.event === "consumer-running" && isLater(line));
      const awayMs = millisecondsBetween(died, running);
      assert.ok(awayMs <= backWithinMs, `the handlers were away for ${awayMs} ms`);
      assert.deepEqual(await client.roundTrip("other", "after"), ["did after at attempt 1"], "nothing is done again");
      const after = await gateway.status();
      assert.deepEqual(generationsOf(after), generationsOf(before));
      assert.deepEqual(
        after.consumers.map(({ dead, pending }) => [dead, pending]),
        [[0, 0]],
      );
    });
  });
}
