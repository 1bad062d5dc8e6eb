/** How soon all adapters of a host run again that was killed. */
import { allRunning, BenchHome, faultTables, nextState, startGateway } from "./bench-gateway.ts";
import type { Figure } from "./figure.ts";

const adapters = 8;
const rounds = 3;
const echo = '[[consumers]]\nname = "main"\nbuiltin = "echo"\n';

/** A fresh gateway each time: from the second death on a host's replacement waits, on purpose. */
export async function measureHostDeath(): Promise<readonly Figure[]> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) times.push(await measureRound());
  return [
    {
      section: "faults",
      name: `a host's death to all ${adapters} running`,
      value: Math.max(...times),
      unit: "ms",
      target: { below: 2000 },
      note: `SIGKILL; the worst of ${rounds}`,
    },
  ];
}

async function measureRound(): Promise<number> {
  using home = new BenchHome();
  const { keys, toml } = faultTables(home, adapters);
  home.writeConfig(`${echo}${toml}`);
  await using gateway = await startGateway(home);
  const { hosts } = await allRunning(gateway, keys);
  const [host] = hosts;
  if (host === undefined) throw new Error("There is no host to kill");
  const running = Promise.all(keys.map((key) => nextState(gateway, key, "running")));
  const killedAtMs = Date.now();
  process.kill(host.pid, "SIGKILL");
  return Math.max(...(await running)) - killedAtMs;
}
