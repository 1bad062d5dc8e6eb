/** One of sixteen adapters that takes its host down now and then, while it runs and without a sign: found by elimination. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { AdapterStatus, GatewayStatus } from "../../src/contract/status.ts";
import { hasCondition, statusWhere } from "../support/gateway-events.ts";
import { faultAdapterPath, GatewayHome, type RunningGateway } from "../support/gateway-fixture.ts";

const run = promisify(execFile);
const cliPath = fileURLToPath(new URL("../../src/cli.ts", import.meta.url));
const countingAdapterPath = fileURLToPath(new URL("../support/counting-adapter.ts", import.meta.url));
const namesTo = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `n${String(index).padStart(2, "0")}`);
/** They are in the midst of something whenever the culprit strikes. */
const counters = namesTo(3).map((name) => `counting:${name}`);
const keys = [...namesTo(13).map((name) => `fault:${name}`), ...counters];
const culprit = "fault:n09";

/** Notes what each counter says. */
const handler = `import { appendFileSync } from "node:fs";
export default ({ adapter, text }) => appendFileSync(new URL("./" + adapter, import.meta.url), text + "\\n");
`;

function sixteenAdapters(home: GatewayHome): void {
  const instances = (platform: string, count: number, settings = ""): string =>
    namesTo(count)
      .map((name) => `[[messaging.${platform}.instances]]\nname = "${name}"\n${settings}`)
      .join("");
  home.writeFile("handler.mjs", handler);
  home.writeConfig(
    `[[consumers]]\nname = "main"\nmodule = "./handler.mjs"\n` +
      `[messaging.fault]\nmodule = "${faultAdapterPath}"\n${instances("fault", 13)}` +
      `[messaging.counting]\nmodule = "${countingAdapterPath}"\n${instances("counting", 3, "settings = { pauseMs = 10 }\n")}`,
  );
}

/** What was heard of a counter so far. */
function countedBy(home: GatewayHome, key: string): readonly string[] {
  return readFileSync(join(home.dir, key), "utf8").trimEnd().split("\n");
}

/** Resolves when each counter has gone on since `before`. */
async function countOn(gateway: RunningGateway, before: GatewayStatus): Promise<void> {
  await statusWhere(gateway, (seen) =>
    counters.every((key) => adapterOf(seen, key).messages.in > adapterOf(before, key).messages.in),
  );
}

/** Has the counters stand still, and asserts that each number has come once, in order. */
async function assertCounted(gateway: RunningGateway): Promise<void> {
  for (const key of counters)
    assert.equal((await gateway.admin("POST", `/v1/adapters/${encodeURIComponent(key)}/pause`)).status, 202);
  const status = await statusWhere(gateway, ({ adapters }) =>
    adapters
      .filter(({ key }) => counters.includes(key))
      .every(({ state, queue }) => state === "paused" && queue.pending === 0 && queue.leased === 0),
  );
  for (const key of counters) {
    const counted = countedBy(gateway.home, key);
    assert.deepEqual(
      counted,
      counted.map((_, number) => `count-${number}`),
      `${key} counts each number once, in order`,
    );
    const { messages, restarts } = adapterOf(status, key);
    assert.equal(messages.in, counted.length);
    // Whoever began again at 0 would say much that is known; one number at a death may be stored, and its state not yet.
    assert.ok(messages.duplicates <= restarts, `${key} said ${messages.duplicates} again in ${restarts} restarts`);
  }
}

function adapterOf(status: GatewayStatus, key: string): AdapterStatus {
  const found = status.adapters.find((adapter) => adapter.key === key);
  assert.ok(found !== undefined, `there is no ${key}`);
  return found;
}

/** With whom the culprit shares its host. */
function neighboursIn(status: GatewayStatus): readonly string[] {
  const pid = adapterOf(status, culprit).host?.pid;
  return status.hosts.find((host) => host.pid === pid)?.keys ?? [];
}

function isCalm({ adapters }: GatewayStatus): boolean {
  return keys.every((key) => adapters.some((adapter) => adapter.key === key && adapter.state === "running"));
}

/** Has the culprit kill its host; resolves when everybody runs again. */
async function strike(gateway: RunningGateway): Promise<GatewayStatus> {
  const { generation } = adapterOf(await gateway.status(), culprit);
  await gateway.provoke(culprit, { do: "kill-host" });
  return statusWhere(gateway, (seen) => isCalm(seen) && adapterOf(seen, culprit).generation !== generation);
}

describe("an adapter that takes its host down without a sign, among sixteen", () => {
  it("is alone after four deaths and convicted by the fifth; the others resume, uncounted", async () => {
    const home = new GatewayHome();
    sixteenAdapters(home);
    await using gateway = await home.start();
    let status = await statusWhere(gateway, isCalm);
    await countOn(gateway, status);
    const sizes = [neighboursIn(status).length];
    for (let death = 0; death < 4; death += 1) {
      status = await strike(gateway);
      sizes.push(neighboursIn(status).length);
    }
    assert.deepEqual(sizes, [16, 8, 4, 2, 1]);

    status = await strike(gateway);
    assert.ok(hasCondition(status, "host_quarantine", culprit));
    const host = status.hosts.find(({ keys: residents }) => residents.includes(culprit));
    assert.equal(host?.kind, "own");
    assert.match(host.quarantineReason ?? "", /the only adapter left in it/u);
    // Who looks at the log alone, or asks what is wrong, is told as much.
    const quarantined = gateway.log.filter(({ event }) => event === "adapter-quarantined");
    assert.deepEqual(
      quarantined.map(({ key, reason }) => [key, reason]),
      [[culprit, host.quarantineReason]],
    );
    assert.equal(gateway.log.filter(({ event }) => event === "adapter-set-apart").length, 8 + 4 + 2 + 1);
    const { stdout } = await run(process.execPath, [cliPath, "--config", home.configPath, "doctor"]).catch(
      (failed: { readonly stdout: string }) => failed,
    );
    assert.match(stdout, new RegExp(`${culprit}.*the only adapter left in it`, "su"));
    for (const key of keys.filter((other) => other !== culprit)) {
      const { restartsByReason, attempt, conditions } = adapterOf(status, key);
      assert.deepEqual([attempt, conditions], [0, []], key);
      assert.ok(
        Object.keys(restartsByReason).every((reason) => reason === "host_died"),
        key,
      );
    }
    const restarts = keys.map((key) => adapterOf(status, key).restarts);
    assert.equal(
      restarts.reduce((sum, count) => sum + count, 0),
      16 + 8 + 4 + 2 + 1,
    );
    await countOn(gateway, status);
    await assertCounted(gateway);

    // Kept over a restart of the gateway, until a person says otherwise.
    gateway.signal("SIGINT");
    await gateway.ended;
    await using next = await home.start();
    const kept = await next.reached(culprit, "running");
    assert.equal(kept.host?.kind, "own");
    await run(process.execPath, [cliPath, "--config", home.configPath, "restart", culprit, "--shared"]);
    const back = await next.reached(culprit, "running", ({ generation }) => generation !== kept.generation);
    assert.equal(back.host?.kind, "shared");
    assert.deepEqual(back.conditions, []);
    assert.ok(next.log.some(({ event, key }) => event === "adapter-released" && key === culprit));
  });
});
