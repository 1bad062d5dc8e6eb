/** How soon what died or hangs runs again. */
import { GatewayError } from "../../src/contract/errors.ts";
import { sleep } from "../../src/support/time.ts";
import { faultAdapterPath, type RunningGateway } from "../support/gateway-fixture.ts";
import { allRunning, BenchHome, startGateway, timeOf } from "./bench-gateway.ts";
import type { Figure } from "./figure.ts";
import { median } from "./statistics.ts";

const section = "faults";
const adapters = 8;
const crashes = 7;
const hostDeaths = 3;
const names = Array.from({ length: adapters }, (_, index) => `fault${index}`);

/** Eight adapters without an SDK in one host: a crash, the host's death, a hang. */
export async function measureRestarts(): Promise<readonly Figure[]> {
  using home = new BenchHome();
  const tables = names.map((name) => `[messaging.${name}]\nmodule = "${faultAdapterPath}"\n`);
  home.writeConfig(
    `[supervisor]\nslow_retry_failures = 100\nbackoff_max_ms = 1000\n[[consumers]]\nname = "main"\nbuiltin = "echo"\n${tables.join("")}`,
  );
  await using gateway = await startGateway(home);
  await allRunning(gateway, names);
  const overheads: number[] = [];
  for (let crash = 0; crash < crashes; crash += 1) overheads.push(await measureCrash(gateway));
  const hangMs = await measureHang(gateway);
  const deaths: number[] = [];
  for (let death = 0; death < hostDeaths; death += 1) deaths.push(await measureHostDeath(gateway));
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
      name: `a host's death to all ${adapters} running`,
      value: Math.max(...deaths),
      unit: "ms",
      target: { below: 2000 },
      note: `SIGKILL; the worst of ${hostDeaths}, of which the later ones wait a second or two before the host is replaced`,
    },
    { section, name: "hang to replaced", value: hangMs / 1000, unit: "s", target: { below: 15 }, note: "an endless loop; hang_after_ms 10,000" },
  ];
}

async function measureCrash(gateway: RunningGateway): Promise<number> {
  const [key = ""] = names;
  const backingOff = nextState(gateway, key, "backing_off");
  const running = nextState(gateway, key, "running");
  const orderedAtMs = Date.now();
  await gateway.provoke(key, { do: "throw" });
  const plannedAtMs = await backingOff;
  const adapter = (await gateway.status()).adapters.find((each) => each.key === key);
  const delayMs = Date.parse(adapter?.nextRetryAt ?? "") - plannedAtMs;
  return (await running) - orderedAtMs - delayMs;
}

async function measureHang(gateway: RunningGateway): Promise<number> {
  const [, key = ""] = names;
  const running = nextState(gateway, key, "running");
  const orderedAtMs = Date.now();
  await gateway.provoke(key, { do: "spin" });
  return (await running) - orderedAtMs;
}

async function measureHostDeath(gateway: RunningGateway): Promise<number> {
  const { hosts } = await gateway.status();
  const [host] = hosts;
  if (host === undefined) throw new GatewayError("internal", "There is no host to kill");
  const running = Promise.all(names.map((key) => nextState(gateway, key, "running")));
  const killedAtMs = Date.now();
  process.kill(host.pid, "SIGKILL");
  const lastRunningAtMs = Math.max(...(await running));
  // The next death is one of a host that has been up for a while.
  await sleep(1000);
  return lastRunningAtMs - killedAtMs;
}

/** When `key` next enters `state`, milliseconds since the epoch. */
async function nextState(gateway: RunningGateway, key: string, state: string): Promise<number> {
  const isIt = (line: Readonly<Record<string, unknown>>): boolean =>
    line["event"] === "adapter-state" && line["key"] === key && line["state"] === state;
  return timeOf(await gateway.nextLogged(isIt));
}
