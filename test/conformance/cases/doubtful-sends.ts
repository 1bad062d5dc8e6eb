/** A send whose answer was lost with the adapter's life: it is there once in the end, whether it had arrived or not. */
import assert from "node:assert/strict";
import { AdapterBench } from "../adapter-bench.ts";
import type { ConformanceCase } from "../conformance-case.ts";
import type { EmulatedPlatform } from "../emulated-platform.ts";

function without({ traits }: EmulatedPlatform): string | null {
  return traits.completesSends === true ? null : "nothing there tells what became of a lost send";
}

function countOf(platform: EmulatedPlatform, text: string): number {
  return platform.shown.filter((item) => item.text.includes(text)).length;
}

/** What an earlier life said is found. */
export async function findsWhatWasSaid(platform: EmulatedPlatform): Promise<void> {
  await using bench = await AdapterBench.start(platform);
  const heard = await bench.hear("say something");
  const attemptedAt = new Date().toISOString();
  await bench.answer(heard, "said by the first life", "lost-answer");
  await bench.respawn();
  await bench.complete(heard, "said by the first life", { idempotencyKey: "lost-answer", attemptedAt });
  assert.equal(countOf(platform, "said by the first life"), 1);
}

/** What never arrived is said now; what another send said is not taken for it. */
export async function saysWhatWasLost(platform: EmulatedPlatform): Promise<void> {
  await using bench = await AdapterBench.start(platform);
  const heard = await bench.hear("say something");
  const attemptedAt = new Date().toISOString();
  await bench.answer(heard, "another answer", "arrived");
  await bench.respawn();
  const sent = { idempotencyKey: "lost", attemptedAt };
  await bench.complete(heard, "said by the second life", sent);
  await bench.complete(heard, "said by the second life", sent);
  assert.equal(countOf(platform, "said by the second life"), 1);
  assert.equal(countOf(platform, "another answer"), 1);
}

/** See each. */
export const doubtfulSendCases: readonly ConformanceCase[] = [
  { title: "finds what was said when its answer was lost, and says it no second time", run: findsWhatWasSaid },
  { title: "says once what was lost before it was said", run: saysWhatWasLost },
].map((each) => ({ ...each, unless: without }));
