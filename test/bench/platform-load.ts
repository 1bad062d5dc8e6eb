/** Messages said on emulated platforms at a steady pace, and how long they take from the adapter's emit to the consumer. */
import { sleep } from "../../src/support/time.ts";
import type { BenchedAdapter, PlatformBench } from "./platform-bench.ts";

/** What the consumer measured. */
export type PlatformLoadResult = { readonly count: number; readonly p50Ms: number; readonly p99Ms: number };

const tickMs = 50;

/** Says `perSecond` messages on each of `adapters`, spread over its two conversations, for `seconds`. */
export async function sayOn(
  adapters: readonly BenchedAdapter[],
  pace: { readonly perSecond: number; readonly seconds: number },
): Promise<void> {
  const startedAtMs = performance.now();
  const total = pace.perSecond * pace.seconds;
  const said: Promise<unknown>[] = [];
  for (let count = 0; count < total;) {
    const due = Math.min(total, ((performance.now() - startedAtMs) / 1000) * pace.perSecond);
    for (; count < due; count += 1)
      for (const { platform } of adapters)
        said.push(
          platform.say(
            count % 2 === 0 ? numbered(count) : { ...numbered(count), conversation: platform.otherConversation },
          ),
        );
    await sleep(tickMs);
  }
  await Promise.all(said);
}

function numbered(count: number): { readonly text: string } {
  return { text: `message ${count} ${"x".repeat(200)}` };
}

/** What the consumer has measured so far; one of the adapters asks it. */
export async function reportOf(bench: PlatformBench, asker: BenchedAdapter): Promise<PlatformLoadResult> {
  const logged = bench.gateway.nextLogged(({ event }) => event === "bench-delivered");
  await asker.platform.say({ text: "report" });
  const { count, p50Ms, p99Ms } = await logged;
  return { count: Number(count), p50Ms: Number(p50Ms), p99Ms: Number(p99Ms) };
}
