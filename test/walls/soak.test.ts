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

/** Most respawns are asked for: retries after a failure are two a second at most in the whole gateway. */
const respawnsPerFailure = 10;
const rounds = areAllWanted ? 100 : 1;
/** Caches fill, code is compiled, the heap finds its size. */
const warmUpRounds = areAllWanted ? 20 : 1;
/** Of a process's memory, with what a collection may leave for later. */
const allowedShare = 1.1;
/** A host that dies again and again is replaced more and more slowly: so many adapters take turns to be killed. */
const ownKeyCount = 40;

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

/** A gateway with `fault` and `webhook` in one host, and perhaps one adapter more in a host of its own. */
class Place {
  readonly home = new GatewayHome();
  readonly #port: number;

  private constructor(port: number) {
    this.#port = port;
  }

  static async make(): Promise<Place> {
    return new Place(await freePort());
  }

  get client(): WebhookClient {
    return new WebhookClient(this.#port);
  }

  configure(ownKey: string | null): void {
    const fault = (key: string): string => `[messaging.${key}]\nmodule = "${faultAdapterPath}"\n`;
    this.home.writeConfig(
      `[[consumers]]\nname = "main"\nbuiltin = "echo"\n` +
        "[supervisor]\nbackoff_min_ms = 10\nbackoff_max_ms = 10\nslow_retry_failures = 100\nslow_retry_window_ms = 10\n" +
        `[messaging.webhook]\nport = ${this.#port}\n${fault("fault")}` +
        (ownKey === null ? "" : `${fault(ownKey)}[messaging.${ownKey}.supervisor]\nisolation = "process"\n`),
    );
  }
}

/** Whose generations end: how one of ten does that fails, and who follows after ten. */
type Subject = {
  ownKey(round: number): string | null;
  fail(gateway: RunningGateway, adapter: AdapterStatus): Promise<void>;
};

const thread: Subject = {
  ownKey: () => null,
  fail: (gateway, { key }) => gateway.provoke(key, { do: "throw" }),
};

const ownProcess: Subject = {
  ownKey: (round) => `own-${round % ownKeyCount}`,
  async fail(_gateway, { key, host }) {
    assert.ok(host !== null, key);
    process.kill(host.pid, "SIGKILL");
  },
};

/** Ends running generations, each once the one before runs: in the rounds of ten from `first` to `last`. */
async function respawn(
  { gateway, place }: { readonly gateway: RunningGateway; readonly place: Place },
  subject: Subject,
  { first, last }: { readonly first: number; readonly last: number },
): Promise<void> {
  for (let round = first; round <= last; round += 1) {
    const ownKey = subject.ownKey(round);
    if (ownKey !== null) place.configure(ownKey);
    const key = ownKey ?? "fault";
    for (let done = 0; done < respawnsPerFailure; done += 1) {
      const adapter = await gateway.reached(key, "running");
      if (done === 0) await subject.fail(gateway, adapter);
      else await gateway.admin("POST", `/v1/adapters/${key}/restart`, {});
      await gateway.reached(key, "running", ({ generation }) => generation !== adapter.generation);
    }
  }
}

/** What the coordinator holds, and the host that its adapters share. */
async function holdings(gateway: RunningGateway): Promise<Readonly<Record<"coordinator" | "sharedHost", Holdings>>> {
  const shared = (await gateway.status()).hosts.filter(({ kind }) => kind === "shared");
  assert.equal(shared.length, 1);
  return { coordinator: holdingsOf(gateway.pid), sharedHost: holdingsOf(shared[0]?.pid ?? -1) };
}

async function soak(t: TestContext, subject: Subject): Promise<void> {
  const place = await Place.make();
  place.configure(subject.ownKey(1));
  await using gateway = await place.home.start();
  for (const each of ["webhook", "fault"]) await gateway.reached(each, "running");
  await respawn({ gateway, place }, subject, { first: 1, last: warmUpRounds });
  const before = await holdings(gateway);
  await respawn({ gateway, place }, subject, { first: warmUpRounds + 1, last: warmUpRounds + rounds });
  // Before the client's own connections are among what the webhook's host holds.
  const after = await holdings(gateway);
  assert.deepEqual(await place.client.roundTrip("room", "fine"), ["fine"]);
  t.diagnostic(`${rounds * respawnsPerFailure} respawns: ${JSON.stringify({ before, after })}`);
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
