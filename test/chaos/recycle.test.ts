/** Adapters and hosts that are replaced in the midst of their work, for their age or their size: nothing of it is lost, nothing said twice. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import type { AdapterStatus, GatewayStatus } from "../../src/contract/status.ts";
import { statusWhere } from "../support/gateway-events.ts";
import {
  faultAdapterPath,
  freePort,
  GatewayHome,
  WebhookClient,
  type RunningGateway,
} from "../support/gateway-fixture.ts";
import { handledIn, notingHandler } from "../support/numbered-run.ts";

const countingAdapterPath = fileURLToPath(new URL("../support/counting-adapter.ts", import.meta.url));
/** How many generations end while it counts. */
const ends = 3;
const patience = (): AbortSignal => AbortSignal.timeout(60_000);

function find(status: GatewayStatus, key: string): AdapterStatus {
  const adapter = status.adapters.find((each) => each.key === key);
  assert.ok(adapter !== undefined, `there is no ${key}`);
  return adapter;
}

/** Sends `0`, `1` and so on to the counting adapter, one after the other, until `isOver`; returns their ids. */
async function sendAlong(gateway: RunningGateway, isOver: () => boolean): Promise<readonly string[]> {
  const ids: string[] = [];
  while (!isOver()) {
    const { body } = await gateway.admin("POST", "/v1/send", { target: "counting/room", text: String(ids.length) });
    ids.push((body as { readonly id: string }).id);
  }
  return ids;
}

async function countThrough(reason: "memory_limit" | "max_age", settings: string): Promise<void> {
  const home = new GatewayHome();
  home.writeFile("handler.mjs", notingHandler.replace('return "did " + text;', ""));
  const port = await freePort();
  home.writeConfig(
    `[[consumers]]\nname = "main"\nmodule = "./handler.mjs"\n[supervisor]\nbackoff_min_ms = 10\nbackoff_max_ms = 20\n` +
      `slow_retry_failures = 100\n[messaging.webhook]\nport = ${port}\n` +
      `[messaging.counting]\nmodule = "${countingAdapterPath}"\n${settings}`,
  );
  await using gateway = await home.start();
  await gateway.reached("counting", "running");
  const webhook = await gateway.reached("webhook", "running");
  let isOver = false;
  const sending = sendAlong(gateway, () => isOver);
  await statusWhere(gateway, (status) => (find(status, "counting").restartsByReason[reason] ?? 0) >= ends, patience());
  isOver = true;
  const ids = await sending;
  // It stands still, so that what it has counted and what the handler has noted can be compared.
  assert.equal((await gateway.admin("POST", "/v1/adapters/counting/pause")).status, 202);
  const status = await statusWhere(
    gateway,
    (seen) => {
      const { state, queue } = find(seen, "counting");
      return state === "paused" && queue.pending === 0 && queue.leased === 0;
    },
    patience(),
  );
  assert.deepEqual(Object.keys(find(status, "counting").restartsByReason), [reason]);
  assert.equal(find(status, "webhook").generation, webhook.generation, "the neighbour noticed");

  const handled = handledIn(home.dir);
  const counted = handled.filter(({ conversation }) => conversation === "count").map(({ text }) => text);
  assert.deepEqual(
    counted,
    counted.map((_, index) => `count-${index}`),
    "each number once, in order",
  );
  assert.equal(find(status, "counting").messages.in, handled.length);
  const got = handled.filter(({ conversation }) => conversation === "got").map(({ text }) => text);
  const states: string[] = [];
  for (const id of ids) {
    const { body } = await gateway.admin("GET", `/v1/sends/${id}`);
    states.push((body as { readonly state: string }).state);
  }
  const inState = (state: string): readonly string[] =>
    ids.flatMap((_, index) => (states[index] === state ? [`got ${index}`] : []));
  assert.equal(new Set(got).size, got.length, "nothing was sent twice");
  assert.ok(new Set(inState("confirmed")).isSubsetOf(new Set(got)), "what is confirmed was sent");
  assert.ok(new Set(inState("queued")).isDisjointFrom(new Set(got)), "what is to be sent was not sent yet");
  // One at a time is under way in a conversation: for each end, and for the pause, one at most is in doubt.
  assert.ok(
    inState("unknown").length <= find(status, "counting").restarts + 1,
    `${inState("unknown").length} in doubt`,
  );
  assert.equal(inState("confirmed").length + inState("queued").length + inState("unknown").length, ids.length);
}

describe("an adapter that is replaced while it works", () => {
  it("for its memory is asked to stop, and nothing is lost either way", () =>
    countThrough(
      "memory_limit",
      "[messaging.counting.supervisor]\nmemory_limit_mb = 48\n[messaging.counting.settings]\nleakMegabytesPerSecond = 16\n",
    ));

  it("for its age is asked to stop, and nothing is lost either way", () =>
    countThrough("max_age", "[messaging.counting.supervisor]\nmax_age_ms = 700\n"));
});

describe("an adapter that leaks on in a stop that hangs", () => {
  it("is ended at its memory limit, long before the time of its stop is over", async () => {
    const home = new GatewayHome();
    home.writeConfig(
      `[supervisor]\nbackoff_min_ms = 10\nbackoff_max_ms = 20\nstop_timeout_ms = 60000\n` +
        `[[consumers]]\nname = "main"\nbuiltin = "echo"\n[messaging.fault]\nmodule = "${faultAdapterPath}"\n` +
        `[messaging.fault.supervisor]\nmemory_limit_mb = 64\n[messaging.fault.settings]\natStop = "hang"\n`,
    );
    await using gateway = await home.start();
    await gateway.reached("fault", "running");
    await gateway.provoke("fault", { do: "leak-buffers", megabytesPerSecond: 10 });
    await gateway.logged(({ event }) => event === "fault-stop-hangs");
    const { restartsByReason } = await gateway.reached("fault", "running", ({ restarts }) => restarts > 0);
    assert.deepEqual(restartsByReason, { memory_limit: 1 });
    assert.ok(!gateway.log.some(({ event }) => event === "adapter-stop-timeout" || event === "thread-unkillable"));
  });
});

describe("a host that is too large", () => {
  it("is emptied and replaced, and its adapters are told apart", async () => {
    const home = new GatewayHome();
    const port = await freePort();
    home.writeConfig(
      `[hosts]\nmemory_limit_mb = 300\n[[consumers]]\nname = "main"\nbuiltin = "echo"\n` +
        `[messaging.webhook]\nport = ${port}\n[messaging.calm]\nmodule = "${faultAdapterPath}"\n` +
        `[messaging.fault]\nmodule = "${faultAdapterPath}"\n[messaging.fault.supervisor]\nmemory_limit_mb = 2048\n`,
    );
    await using gateway = await home.start();
    const client = new WebhookClient(port);
    const before = await statusWhere(gateway, ({ adapters }) => adapters.every(({ state }) => state === "running"));
    const host = find(before, "fault").host?.pid;
    await gateway.provoke("fault", { do: "leak-buffers", megabytesPerSecond: 100 });
    const status = await statusWhere(
      gateway,
      ({ adapters, hosts }) =>
        adapters.every(({ state }) => state === "running") && hosts.every(({ pid }) => pid !== host),
      patience(),
    );
    assert.throws(() => readFileSync(join("/proc", String(host), "status")), { code: "ENOENT" });
    for (const key of ["webhook", "calm", "fault"]) {
      const { attempt, restartsByReason } = find(status, key);
      assert.deepEqual([key, attempt, restartsByReason], [key, 0, { host_died: 1 }]);
    }
    assert.equal(new Set(status.hosts.filter(({ kind }) => kind === "shared").map(({ pid }) => pid)).size, 2);
    assert.deepEqual(await client.roundTrip("room", "fine"), ["fine"]);
  });
});
