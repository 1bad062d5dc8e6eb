/** One of sixteen adapters that takes its host down now and then, while it runs and without a sign: found by elimination. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { AdapterStatus, GatewayStatus } from "../../src/contract/status.ts";
import { hasCondition, statusWhere } from "../support/gateway-events.ts";
import { faultAdapterPath, GatewayHome, type RunningGateway } from "../support/gateway-fixture.ts";

const run = promisify(execFile);
const cliPath = fileURLToPath(new URL("../../src/cli.ts", import.meta.url));
const names = Array.from({ length: 16 }, (_, index) => `n${String(index).padStart(2, "0")}`);
const keys = names.map((name) => `fault:${name}`);
const culprit = "fault:n09";

function sixteenAdapters(home: GatewayHome): void {
  const instances = names.map((name) => `[[messaging.fault.instances]]\nname = "${name}"\n`).join("");
  home.writeConfig(
    `[[consumers]]\nname = "main"\nbuiltin = "echo"\n[messaging.fault]\nmodule = "${faultAdapterPath}"\n${instances}`,
  );
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
