/** From `POST /send` to the reply at `GET /poll`, through the journal and a consumer module; beside a process without walls. */
import { startBareGateway } from "./bare-process.ts";
import { freePort } from "../support/gateway-fixture.ts";
import { allRunning, BenchHome, installModule, pidsOf, spawnGateway, startGateway } from "./bench-gateway.ts";
import type { Figure } from "./figure.ts";
import { HttpConversation } from "./http-conversation.ts";
import { runLoad, type LoadRequest, type LoadResult } from "./load.ts";
import { median } from "./statistics.ts";

const section = "end-to-end";
const conversations = 100;
const rounds = 3;
const seconds = 5;
/** V8 is still compiling what is hot in the first seconds. */
const warmUpSeconds = 6;
const wantedRates = { narrow: 4000, wide: 7000 };
/** The same as shares of what one process without isolation did where they were set: 7,700 and 11,300 a second. */
const wantedRatios = { narrow: 0.52, wide: 0.62 };

/**
 * A fresh gateway for each load, `rounds` times; medians. Each round measures the bare process too: how far ours stays
 * behind it is a ratio that a slow machine does not change.
 */
export async function measureEndToEnd(): Promise<readonly Figure[]> {
  const narrow: LoadResult[] = [];
  const wide: LoadResult[] = [];
  const paced: LoadResult[] = [];
  const firstAnswers: number[] = [];
  const bareNarrow: LoadResult[] = [];
  const bareWide: LoadResult[] = [];
  for (let round = 0; round < rounds; round += 1) {
    narrow.push(await measureLoad({ inFlight: 32 }));
    wide.push(await measureLoad({ inFlight: 256 }));
    paced.push(await measureLoad({ perSecond: 500 }));
    firstAnswers.push(await measureFirstAnswer());
    bareNarrow.push(await measureBare({ inFlight: 32 }));
    bareWide.push(await measureBare({ inFlight: 256 }));
  }
  const middle = (results: readonly LoadResult[], field: keyof LoadResult): number =>
    median(results.map((result) => result[field]));
  const rate = { section, unit: "messages/s" } as const;
  const microseconds = { section, unit: "us" } as const;
  const cpu = { ...microseconds, target: { atMost: 250 } } as const;
  const latency = { section, unit: "ms" } as const;
  const ratio = { section, unit: "ratio" } as const;
  const rateRatio = (ours: readonly LoadResult[], bare: readonly LoadResult[]): number =>
    middle(ours, "messagesPerSecond") / middle(bare, "messagesPerSecond");
  return [
    {
      ...rate,
      name: "32 in flight",
      value: middle(narrow, "messagesPerSecond"),
      target: { atLeast: wantedRates.narrow },
    },
    { ...rate, name: "256 in flight", value: middle(wide, "messagesPerSecond"), target: { atLeast: wantedRates.wide } },
    { ...rate, name: "bare process, 32 in flight", value: middle(bareNarrow, "messagesPerSecond") },
    { ...rate, name: "bare process, 256 in flight", value: middle(bareWide, "messagesPerSecond") },
    {
      ...ratio,
      name: "against the bare process, 32 in flight",
      value: rateRatio(narrow, bareNarrow),
      target: { atLeast: wantedRatios.narrow },
    },
    {
      ...ratio,
      name: "against the bare process, 256 in flight",
      value: rateRatio(wide, bareWide),
      target: { atLeast: wantedRatios.wide },
    },
    { ...cpu, name: "CPU per message, 32 in flight", value: middle(narrow, "cpuMicrosecondsPerMessage") },
    { ...cpu, name: "CPU per message, 256 in flight", value: middle(wide, "cpuMicrosecondsPerMessage") },
    {
      ...microseconds,
      name: "CPU per message, bare, 32 in flight",
      value: middle(bareNarrow, "cpuMicrosecondsPerMessage"),
    },
    {
      ...microseconds,
      name: "CPU per message, bare, 256 in flight",
      value: middle(bareWide, "cpuMicrosecondsPerMessage"),
    },
    { ...latency, name: "p50 at 500 a second", value: middle(paced, "p50Ms"), target: { below: 4 } },
    { ...latency, name: "p99 at 500 a second", value: middle(paced, "p99Ms"), target: { below: 20 } },
    { ...latency, name: "from the start to the first answer", value: median(firstAnswers), target: { atMost: 1000 } },
  ].map((figure) => ({ ...figure, note: `median of ${rounds} runs` }));
}

async function measureLoad(pace: LoadRequest["pace"]): Promise<LoadResult> {
  const port = await freePort();
  using home = webhookHome(port);
  await using gateway = await startGateway(home);
  const pids = pidsOf(await allRunning(gateway, ["webhook"]));
  return await runLoad({ ports: [port], conversations, pace, warmUpSeconds, seconds, pids });
}

async function measureBare(pace: LoadRequest["pace"]): Promise<LoadResult> {
  await using bare = await startBareGateway();
  return await runLoad({ ports: [bare.port], conversations, pace, warmUpSeconds, seconds, pids: [bare.pid] });
}

/** From `spawn` to the reply of a client that has tried to connect ever since. */
async function measureFirstAnswer(): Promise<number> {
  const port = await freePort();
  using home = webhookHome(port);
  const spawnedMs = performance.now();
  await using _gateway = spawnGateway(home);
  using conversation = new HttpConversation("first", port);
  await conversation.roundTrip();
  return performance.now() - spawnedMs;
}

function webhookHome(port: number): BenchHome {
  const home = new BenchHome();
  const module = installModule(home, new URL("./bench-consumer.ts", import.meta.url));
  home.writeConfig(
    `[[consumers]]\nname = "main"\nmodule = "${module}"\nconcurrency = 256\n[messaging.webhook]\nport = ${port}\n`,
  );
  return home;
}
