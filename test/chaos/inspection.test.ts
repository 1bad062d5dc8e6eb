/** A heap snapshot and a CPU profile of a real adapter's thread, by the command line, under the permission model. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { faultAdapterPath, freePort, GatewayHome, WebhookClient } from "../support/gateway-fixture.ts";
import { filesBelow } from "../support/files-below.ts";

const run = promisify(execFile);
const cliPath = fileURLToPath(new URL("../../src/cli.ts", import.meta.url));

describe("looking into one adapter", () => {
  it("takes a snapshot and a profile while it works, even while it spins, and restarts nobody for it", async () => {
    const home = new GatewayHome();
    const port = await freePort();
    home.writeConfig(
      `[[consumers]]\nname = "main"\nbuiltin = "echo"\n[messaging.webhook]\nport = ${port}\n` +
        `[messaging.fault]\nmodule = "${faultAdapterPath}"\n[messaging.fault.supervisor]\nhang_after_ms = 60000\n`,
    );
    await using gateway = await home.start();
    const bulkhead = async (...parameters: readonly string[]): Promise<string> =>
      (await run(process.execPath, [cliPath, "--config", home.configPath, ...parameters], { cwd: home.dir })).stdout;
    await gateway.reached("webhook", "running");
    const before = await gateway.reached("fault", "running");

    assert.equal(await bulkhead("heap-snapshot", "fault"), `${join(home.dir, "fault.heapsnapshot")}\n`);
    const snapshot = JSON.parse(readFileSync(join(home.dir, "fault.heapsnapshot"), "utf8")) as {
      readonly snapshot: { readonly node_count: number };
    };
    assert.ok(snapshot.snapshot.node_count > 1_000);

    await gateway.provoke("fault", { do: "spin" });
    await bulkhead("cpu-profile", "fault", "--seconds", "1", "--out", "spinning");
    const profile = JSON.parse(readFileSync(join(home.dir, "spinning"), "utf8")) as {
      readonly nodes: readonly { readonly callFrame: { readonly functionName: string }; readonly hitCount: number }[];
    };
    // The optimizer puts so small a loop into its caller: what shows is that somebody is busy all the time.
    const busy = profile.nodes.filter(({ callFrame }) => !callFrame.functionName.startsWith("("));
    const hits = busy.reduce((sum, { hitCount }) => sum + hitCount, 0);
    assert.ok(hits > 0.5 * profile.nodes.reduce((sum, { hitCount }) => sum + hitCount, 0), `${hits} samples of work`);
    assert.deepEqual(await new WebhookClient(port).roundTrip("room", "fine"), ["fine"]);
    const after = await gateway.reached("fault", "running");
    assert.equal(after.generation, before.generation);
    const left = filesBelow(join(home.dir, "data", "inspections"));
    assert.deepEqual(left, []);
  });
});
