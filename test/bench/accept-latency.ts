/** How long an adapter waits for "accepted", and how long its messages take to the consumer, at 1,000 a second. */
import { BenchHome, installModule, startGateway } from "./bench-gateway.ts";
import type { Figure } from "./figure.ts";
import { median } from "./statistics.ts";

const section = "latency";
const rounds = 3;
/** Longer than the coordinator's own window of 10 s, so that its start is not in it. */
const warmUpSeconds = 11;
const seconds = 10;

type Round = Readonly<
  Record<"acceptP50Ms" | "acceptP99Ms" | "deliveryP50Ms" | "deliveryP99Ms" | "loopDelayP99Ms", number>
>;

/** One adapter, one consumer module; both measured by themselves. */
export async function measureAcceptLatency(): Promise<readonly Figure[]> {
  const all: Round[] = [];
  for (let round = 0; round < rounds; round += 1) all.push(await measureRound());
  const middle = (field: keyof Round): number => median(all.map((round) => round[field]));
  const common = { section, unit: "ms", note: `1,000 messages/s; median of ${rounds} runs of ${seconds} s` } as const;
  return [
    { ...common, name: "emit to accepted, p50", value: middle("acceptP50Ms"), target: { below: 8 } },
    { ...common, name: "emit to accepted, p99", value: middle("acceptP99Ms"), target: { below: 25 } },
    { ...common, name: "emit to consumer, p50", value: middle("deliveryP50Ms") },
    { ...common, name: "emit to consumer, p99", value: middle("deliveryP99Ms"), target: { below: 40 } },
    { ...common, name: "coordinator's loop delay, p99", value: middle("loopDelayP99Ms"), target: { below: 20 } },
  ];
}

async function measureRound(): Promise<Round> {
  using home = new BenchHome();
  const adapter = installModule(home, new URL("./bench-adapter.ts", import.meta.url));
  const consumer = installModule(home, new URL("./bench-consumer.ts", import.meta.url));
  home.writeConfig(
    `[[consumers]]\nname = "main"\nmodule = "${consumer}"\n[messaging.bench]\nmodule = "${adapter}"\n` +
      `[messaging.bench.settings]\nmode = "paced"\nconversations = 100\nper_second = 1000\n` +
      `warm_up_seconds = ${warmUpSeconds}\nseconds = ${seconds}\n`,
  );
  await using gateway = await startGateway(home);
  const [accepted, delivered] = await Promise.all(
    ["bench-accepted", "bench-delivered"].map((name) => gateway.logged(({ event }) => event === name)),
  );
  const { coordinator } = await gateway.status();
  return {
    acceptP50Ms: Number(accepted?.["p50Ms"]),
    acceptP99Ms: Number(accepted?.["p99Ms"]),
    deliveryP50Ms: Number(delivered?.["p50Ms"]),
    deliveryP99Ms: Number(delivered?.["p99Ms"]),
    loopDelayP99Ms: coordinator.eventLoopDelayP99Ms,
  };
}
