/** A coordinator that is killed and not started again: nothing of its gateway stays, not even a process that cannot exit. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { FaultCommand } from "../support/fault-adapter.ts";
import { faultFolder, provokeDone } from "../support/fault-folder.ts";
import { statusWhere } from "../support/gateway-events.ts";
import { freePort, GatewayHome } from "../support/gateway-fixture.ts";
import { processesOf } from "../support/processes-of.ts";

/** A host ends itself as soon as its socket closes; the rest is the machine's other work. */
const endDeadlineMs = 5_000;

/** What of `dir` still runs: nothing, or what is left at the deadline. */
async function leftIn(dir: string): Promise<readonly string[]> {
  const deadline = performance.now() + endDeadlineMs;
  for (;;) {
    const left = processesOf(dir).filter(({ isZombie }) => !isZombie);
    if (left.length === 0 || performance.now() > deadline) {
      // A failed test must not leave them either.
      for (const { pid } of left) process.kill(pid, "SIGKILL");
      return left.map(({ command }) => command);
    }
    // A process that is not our child gives no sign when it ends.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe("kill -9 of a coordinator that nobody starts again", () => {
  const stuck: readonly (readonly [where: string, command: (fifoPath: string) => FaultCommand])[] = [
    ["computing a hash", () => ({ do: "hash" })],
    ["reading a FIFO", (path) => ({ do: "fifo", path })],
  ];
  for (const [where, command] of stuck)
    it(`ends its hosts too, with a thread in native code, ${where}`, async () => {
      const home = new GatewayHome();
      const { modulePath, fifoPath } = faultFolder(home);
      home.writeFile("handler.mjs", "export default () => {};");
      home.writeConfig(
        `[[consumers]]\nname = "main"\nmodule = "./handler.mjs"\n[messaging.webhook]\nport = ${await freePort()}\n` +
          `[messaging.fault]\nmodule = "${modulePath}"\n`,
      );
      await using gateway = await home.start();
      await statusWhere(gateway, ({ adapters }) => adapters.every(({ state }) => state === "running"));
      await provokeDone(gateway, "fault", command(fifoPath));
      const running = processesOf(home.dir).map(({ pid }) => pid);
      assert.equal(running.length, 3, "the coordinator, a host of adapters and one of handlers");
      gateway.signal("SIGKILL");
      await gateway.ended;
      assert.deepEqual(await leftIn(home.dir), []);
    });
});
