/** Durable fan-in: eight adapters emit as fast as credit allows, nobody consumes. */
import { sleep } from "../../src/support/time.ts";
import { type RunningGateway } from "../support/gateway-fixture.ts";
import { measureBareInsert } from "./bare-insert.ts";
import { allRunning, BenchHome, installModule, pidsOf, startGateway } from "./bench-gateway.ts";
import type { Figure } from "./figure.ts";
import { cpuSeconds } from "./process-usage.ts";
import { median } from "./statistics.ts";

const section = "fan-in";
const adapters = 8;
const conversations = 16;
const bareMessages = 100_000;
const rounds = 3;
const warmUpSeconds = 2;
const seconds = 5;

/** Against a bare insert loop of the same run; the two alternate, so that both meet the same machine. */
export async function measureFanIn(): Promise<readonly Figure[]> {
  const bare: number[] = [];
  const gateway: { readonly rate: number; readonly cpu: number }[] = [];
  for (let round = 0; round < rounds; round += 1) {
    bare.push(await measureBareInsert(bareMessages));
    gateway.push(await measureGateway());
  }
  const rate = median(gateway.map((each) => each.rate));
  const bareRate = median(bare);
  const how = `median of ${rounds} rounds of ${seconds} s`;
  return [
    {
      section,
      name: `accepted from ${adapters} adapters, 500 bytes, full fsync`,
      value: rate,
      unit: "messages/s",
      target: { atLeast: 20_000 },
      note: how,
    },
    { section, name: "bare insert loop, groups of 64", value: bareRate, unit: "messages/s", note: how },
    { section, name: "fan-in against the bare loop", value: rate / bareRate, unit: "ratio", target: { atLeast: 0.5 } },
    {
      section,
      name: "CPU per accepted message, all processes",
      value: median(gateway.map((each) => each.cpu)),
      unit: "us",
    },
  ];
}

async function measureGateway(): Promise<{ readonly rate: number; readonly cpu: number }> {
  using home = new BenchHome();
  const module = installModule(home, new URL("./bench-adapter.ts", import.meta.url));
  const names = Array.from({ length: adapters }, (_, index) => `bench${index}`);
  const tables = names.map(
    (name) =>
      `[messaging.${name}]\nmodule = "${module}"\n[messaging.${name}.settings]\nmode = "flood"\nconversations = ${conversations}\n`,
  );
  // Nobody reads the stream: everything waits.
  home.writeConfig(`[journal]\nmax_bytes = "16GiB"\n[[consumers]]\nname = "main"\nstream = true\n${tables.join("")}`);
  await using gateway = await startGateway(home);
  const pids = pidsOf(await allRunning(gateway, names));
  await sleep(warmUpSeconds * 1000);
  const before = { accepted: await accepted(gateway), atMs: performance.now(), cpu: cpuSeconds(pids) };
  await sleep(seconds * 1000);
  const messages = (await accepted(gateway)) - before.accepted;
  const usedSeconds = cpuSeconds(pids) - before.cpu;
  return {
    rate: (messages * 1000) / (performance.now() - before.atMs),
    cpu: (usedSeconds / messages) * 1e6,
  };
}

async function accepted(gateway: RunningGateway): Promise<number> {
  const { adapters: statuses } = await gateway.status();
  return statuses.reduce((sum, { messages }) => sum + messages.in, 0);
}
