/** What it costs to wait: every adapter connected, and nobody says anything. */
import type { AdapterStatus } from "../../src/contract/status.ts";
import { sleep } from "../../src/support/time.ts";
import { startPlatforms } from "../chaos/run/chaos-platforms.ts";
import type { RunningGateway } from "../support/gateway-fixture.ts";
import { allRunning, BenchHome, startGateway } from "./bench-gateway.ts";
import type { Figure } from "./figure.ts";

const seconds = 60;
/** The code of a start is compiled, and its garbage collected. */
const settleMs = 20_000;

/** Each platform's thread, with everything that a minute brings: checks, probes, samples. */
export async function measureIdle(): Promise<readonly Figure[]> {
  await using stack = new AsyncDisposableStack();
  const home = stack.use(new BenchHome());
  const platforms = await startPlatforms(stack);
  const tables = platforms.map(({ key, emulated }) => `[messaging.${key}]\n${emulated.toml}\n`);
  home.writeConfig(`[[consumers]]\nname = "main"\nbuiltin = "echo"\n${tables.join("")}`);
  const gateway = stack.use(await startGateway(home));
  const keys = platforms.map(({ key }) => key);
  await allRunning(gateway, keys);
  await sleep(settleMs);
  const before = await cpuSecondsByKey(gateway);
  await sleep(seconds * 1000);
  const after = await cpuSecondsByKey(gateway);
  return keys.map((key) => ({
    section: "idle",
    name: `CPU of the ${key} adapter's thread`,
    value: (((after.get(key) ?? Number.NaN) - (before.get(key) ?? Number.NaN)) / seconds) * 100,
    unit: "%",
    target: { below: 0.5 },
    note: `over ${seconds} s`,
  }));
}

async function cpuSecondsByKey(gateway: RunningGateway): Promise<ReadonlyMap<string, number>> {
  const { adapters } = await gateway.status();
  return new Map(adapters.map(({ key, cpu }: AdapterStatus) => [key, cpu.userSeconds + cpu.systemSeconds]));
}
