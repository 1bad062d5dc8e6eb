/** How soon an adapter without an SDK runs again that crashed, or that hangs. */
import type { RunningGateway } from "../support/gateway-fixture.ts";
import { allRunning, BenchHome, faultTables, nextState, startGateway } from "./bench-gateway.ts";
import type { Figure } from "./figure.ts";
import { median } from "./statistics.ts";

const section = "faults";
const crashes = 7;
const supervisor = "[supervisor]\nslow_retry_failures = 100\nbackoff_max_ms = 1000\n";
const echo = '[[consumers]]\nname = "main"\nbuiltin = "echo"\n';

/** One adapter that crashes again and again, another that hangs. */
export async function measureRestarts(): Promise<readonly Figure[]> {
  using home = new BenchHome();
  const { keys, toml } = faultTables(home, 2);
  const [crashing = "", hanging = ""] = keys;
  home.writeConfig(`${supervisor}${echo}${toml}`);
  await using gateway = await startGateway(home);
  await allRunning(gateway, keys);
  const overheads: number[] = [];
  for (let crash = 0; crash < crashes; crash += 1) overheads.push(await measureCrash(gateway, crashing));
  const hangMs = await measureHang(gateway, hanging);
  return [
    {
      section,
      name: "crash to running again, beyond the backoff",
      value: median(overheads),
      unit: "ms",
      target: { below: 250 },
      note: `from the order to throw; median of ${crashes}`,
    },
    {
      section,
      name: "hang to replaced",
      value: hangMs / 1000,
      unit: "s",
      target: { below: 15 },
      note: "an endless loop; hang_after_ms 10,000",
    },
  ];
}

async function measureCrash(gateway: RunningGateway, key: string): Promise<number> {
  const backingOff = nextState(gateway, key, "backing_off");
  const running = nextState(gateway, key, "running");
  const orderedAtMs = Date.now();
  await gateway.provoke(key, { do: "throw" });
  const backingOffAtMs = await backingOff;
  const status = (await gateway.status()).adapters.find((adapter) => adapter.key === key);
  const delayMs = Date.parse(status?.nextRetryAt ?? "") - backingOffAtMs;
  return (await running) - orderedAtMs - delayMs;
}

async function measureHang(gateway: RunningGateway, key: string): Promise<number> {
  const running = nextState(gateway, key, "running");
  const orderedAtMs = Date.now();
  await gateway.provoke(key, { do: "spin" });
  return (await running) - orderedAtMs;
}
