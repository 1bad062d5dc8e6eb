/** A thousand respawns: of threads that crash, of processes that are killed or replaced. What they leave behind is nothing. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { describe, it, type TestContext } from "node:test";
import type { AdapterStatus } from "../../src/contract/status.ts";
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
/** Of a process's memory, with what a collection may leave for later. */
const allowedShare = 1.1;
/** A host that dies again and again is replaced more and more slowly, so that each takes its turn to be killed. */
const ownKeys = Array.from({ length: 10 }, (_, index) => `own-${index}`);

type Holdings = {
  readonly pid: number;
  readonly rssBytes: number;
  readonly descriptors: number;
  readonly threads: number;
};

function holdingsOf(pid: number): Holdings {
  return {
    pid,
    rssBytes: rssBytesOf(pid),
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    threads: readdirSync(`/proc/${pid}/task`).length,
  };
}

/** `own`: runtime keys with a host of their own, beside `fault` and `webhook`, which share one. */
async function start(own: readonly string[]): Promise<{ gateway: RunningGateway; client: WebhookClient }> {
  const home = new GatewayHome();
  const port = await freePort();
  const adapters = own.map(
    (key) =>
      `[messaging.${key}]\nmodule = "${faultAdapterPath}"\n[messaging.${key}.supervisor]\nisolation = "process"\n`,
  );
  home.writeConfig(
    `[[consumers]]\nname = "main"\nbuiltin = "echo"\n` +
      "[supervisor]\nbackoff_min_ms = 10\nbackoff_max_ms = 10\nslow_retry_failures = 100\nslow_retry_window_ms = 10\n" +
      `[messaging.webhook]\nport = ${port}\n[messaging.fault]\nmodule = "${faultAdapterPath}"\n${adapters.join("")}`,
  );
  return { gateway: await home.start(), client: new WebhookClient(port) };
}

/** Whose generations end, and how one of ten does that fails. */
type Subject = {
  readonly own: readonly string[];
  key(count: number): string;
  fail(gateway: RunningGateway, adapter: AdapterStatus): Promise<void>;
};

const thread: Subject = {
  own: [],
  key: () => "fault",
  fail: (gateway, { key }) => gateway.provoke(key, { do: "throw" }),
};

const ownProcess: Subject = {
  own: ownKeys,
  key: (count) => ownKeys[Math.floor(count / respawnsPerFailure) % ownKeys.length] ?? "",
  async fail(_gateway, { key, host }) {
    assert.ok(host !== null, key);
    process.kill(host.pid, "SIGKILL");
  },
};

/** Ends running generations, each once the one before runs. */
async function respawnTimes(gateway: RunningGateway, subject: Subject, times: number): Promise<void> {
  for (let done = 0; done < times; done += 1) {
    const key = subject.key(done);
    const adapter = await gateway.reached(key, "running");
    if (done % respawnsPerFailure === 0) await subject.fail(gateway, adapter);
    else await gateway.admin("POST", `/v1/adapters/${key}/restart`, {});
    await gateway.reached(key, "running", ({ generation }) => generation !== adapter.generation);
  }
}

/** What the coordinator holds, and the host that its adapters share. */
async function holdings(gateway: RunningGateway): Promise<Readonly<Record<"coordinator" | "sharedHost", Holdings>>> {
  const shared = (await gateway.status()).hosts.filter(({ kind }) => kind === "shared");
  assert.equal(shared.length, 1);
  return { coordinator: holdingsOf(gateway.pid), sharedHost: holdingsOf(shared[0]?.pid ?? -1) };
}

async function soak(t: TestContext, subject: Subject): Promise<void> {
  const { gateway, client } = await start(subject.own);
  await using _gateway = gateway;
  for (const each of ["webhook", "fault", ...subject.own]) await gateway.reached(each, "running");
  await respawnTimes(gateway, subject, warmUp);
  const before = await holdings(gateway);
  await respawnTimes(gateway, subject, respawns);
  // Before the client's own connections are among what the webhook's host holds.
  const after = await holdings(gateway);
  assert.deepEqual(await client.roundTrip("room", "fine"), ["fine"]);
  t.diagnostic(`${respawns} respawns: ${JSON.stringify({ before, after })}`);
  for (const who of ["coordinator", "sharedHost"] as const) {
    const { rssBytes: rssBytesBefore, ...held } = before[who];
    const { rssBytes, ...holds } = after[who];
    assert.deepEqual(holds, held, who);
    // Over a few respawns the heap only finds its size.
    if (areAllWanted) assert.ok(rssBytes < rssBytesBefore * allowedShare, `${who} has ${rssBytes} bytes`);
  }
  const { hosts } = await gateway.status();
  const running = processesOf(gateway.home.dir).filter(({ isZombie }) => !isZombie);
  assert.deepEqual(
    new Set(running.map(({ pid }) => pid)),
    new Set([gateway.pid, ...hosts.map(({ pid }) => pid)]),
    "a process was left over",
  );
}

describe("a coordinator and a shared host, after many respawns", () => {
  it("of a thread hold what they held before", { timeout: 1_800_000 }, (t) => soak(t, thread));

  it("of processes, killed now and then, hold what they held before", { timeout: 1_800_000 }, (t) =>
    soak(t, ownProcess),
  );
});
