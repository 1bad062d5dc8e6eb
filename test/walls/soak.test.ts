/** A thousand respawns: of threads that crash, of processes that are killed or replaced. What they leave behind in the coordinator is nothing. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { describe, it, type TestContext } from "node:test";
import {
  faultAdapterPath,
  freePort,
  GatewayHome,
  WebhookClient,
  type RunningGateway,
} from "../support/gateway-fixture.ts";
import { processesOf, rssBytesOf } from "../support/processes-of.ts";
import { areAllWanted } from "../support/wall-tests.ts";

const respawns = areAllWanted ? 1_000 : 10;
/** Caches fill, code is compiled, the heap finds its size. */
const warmUp = areAllWanted ? 200 : 5;
/** Most are asked for: retries after a failure are two a second at most in the whole gateway. */
const respawnsPerFailure = 10;
/** Of the coordinator's memory, with what a collection may leave for later. */
const allowedShare = 1.1;

type Holdings = { readonly rssBytes: number; readonly descriptors: number; readonly threads: number };

function holdingsOf(pid: number): Holdings {
  return {
    rssBytes: rssBytesOf(pid),
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    threads: readdirSync(`/proc/${pid}/task`).length,
  };
}

async function start(): Promise<{ gateway: RunningGateway; client: WebhookClient }> {
  const home = new GatewayHome();
  const port = await freePort();
  home.writeConfig(
    `[[consumers]]\nname = "main"\nbuiltin = "echo"\n` +
      "[supervisor]\nbackoff_min_ms = 10\nbackoff_max_ms = 10\nslow_retry_failures = 100\nslow_retry_window_ms = 10\n" +
      `[messaging.webhook]\nport = ${port}\n[messaging.fault]\nmodule = "${faultAdapterPath}"\n` +
      `[messaging.own]\nmodule = "${faultAdapterPath}"\n[messaging.own.supervisor]\nisolation = "process"\n`,
  );
  return { gateway: await home.start(), client: new WebhookClient(port) };
}

/** Ends the running generation of `key` so many times, each once the one before runs. */
async function respawn(gateway: RunningGateway, key: string, times: number): Promise<void> {
  for (let done = 0; done < times; done += 1) {
    const { generation } = await gateway.reached(key, "running");
    if (done % respawnsPerFailure === 0) await gateway.provoke(key, { do: "throw" });
    else await gateway.admin("POST", `/v1/adapters/${key}/restart`, {});
    await gateway.reached(key, "running", (adapter) => adapter.generation !== generation);
  }
}

async function soak(t: TestContext, key: string): Promise<void> {
  const { gateway, client } = await start();
  await using _gateway = gateway;
  for (const each of ["webhook", "fault", "own"]) await gateway.reached(each, "running");
  await respawn(gateway, key, warmUp);
  const before = holdingsOf(gateway.pid);
  await respawn(gateway, key, respawns);
  assert.deepEqual(await client.roundTrip("room", "fine"), ["fine"]);
  const after = holdingsOf(gateway.pid);
  t.diagnostic(`${respawns} respawns of ${key}: ${JSON.stringify({ before, after })}`);
  assert.equal(after.descriptors, before.descriptors);
  assert.equal(after.threads, before.threads);
  // Over a few respawns the heap only finds its size.
  if (areAllWanted) assert.ok(after.rssBytes < before.rssBytes * allowedShare, `${after.rssBytes} bytes`);
  const { hosts } = await gateway.status();
  const running = processesOf(gateway.home.dir).filter(({ isZombie }) => !isZombie);
  assert.deepEqual(
    new Set(running.map(({ pid }) => pid)),
    new Set([gateway.pid, ...hosts.map(({ pid }) => pid)]),
    "a process was left over",
  );
}

describe("a coordinator, after many respawns", () => {
  it("of a thread holds what it held before", { timeout: 1_200_000 }, (t) => soak(t, "fault"));

  it("of a process holds what it held before", { timeout: 1_200_000 }, (t) => soak(t, "own"));
});
