/** Nothing is lost, nothing is said twice, and nobody hears "received" too early. */
import assert from "node:assert/strict";
import { GatewayError } from "../../../src/contract/errors.ts";
import { AdapterBench } from "../adapter-bench.ts";
import { either, withoutAcknowledgements, withoutRecovery, type ConformanceCase } from "../conformance-case.ts";
import type { EmulatedPlatform } from "../emulated-platform.ts";
import { FakeClock } from "../fake-clock.ts";
import { turns, within } from "../within.ts";

/** Messages said while nothing is accepted. */
const floodMessages = 200;
const streamMessages = 40;
/** After a refusal it, or its platform, tries again within this. */
const retrySeconds = 120;

/** The same message again has the same identity; another one has another. */
export async function givesAnOldMessageItsOldId(platform: EmulatedPlatform): Promise<void> {
  await using bench = await AdapterBench.start(platform);
  const id = await platform.say({ text: "once" });
  await bench.ledger.acceptedText("once");
  await platform.repeat(id);
  await platform.say({ text: "another" });
  await bench.ledger.acceptedText("another");
  await platform.say({ text: "another" });
  await bench.ledger.accepted.count(3, "the same text said again, as a message of its own");
  assert.deepEqual(bench.ledger.texts(), ["once", "another", "another"]);
}

/** The platform hears of a message only when the gateway has it. */
export async function acknowledgesAfterAccept(platform: EmulatedPlatform): Promise<void> {
  await using bench = await AdapterBench.start(platform);
  bench.ledger.hold();
  const id = await platform.say({ text: "on its way" });
  await bench.ledger.emitted.count(1, "the emission of a message");
  await turns(100);
  assert.ok(!platform.isAcknowledged(id), "it acknowledged a message that the gateway has not accepted");
  bench.ledger.release();
  await bench.ledger.acceptedText("on its way");
  await within(platform.acknowledged(id), "the acknowledgement of an accepted message");
}

/** What the gateway refuses is not acknowledged, and comes again: from the platform, or in the next life. */
export async function keepsWhatWasRefused(platform: EmulatedPlatform): Promise<void> {
  await using clock = FakeClock.gentle();
  await using bench = await AdapterBench.start(platform);
  bench.keepRunning();
  bench.ledger.refuse(new GatewayError("journal_unavailable", "Cannot accept the message: the journal is away"));
  const id = await platform.say({ text: "refused at first" });
  await bench.ledger.emitted.count(1, "the emission of a message");
  await turns(100);
  assert.ok(!platform.isAcknowledged(id), "it acknowledged a message that the gateway refused");
  bench.ledger.release();
  await platform.say({ text: "later" });
  await clock.hurry(bench.ledger.acceptedText("later"), retrySeconds, "what was said after a refusal");
  if (bench.ledger.texts("refused").length === 0) await bench.respawn();
  await bench.ledger.acceptedText("refused at first");
}

/** No credit for a whole flood: everything comes when there is, in order, or is counted as lost. */
export async function survivesAFloodWithoutCredit(platform: EmulatedPlatform): Promise<void> {
  await using bench = await AdapterBench.start(platform);
  bench.ledger.hold();
  for (let index = 0; index < floodMessages; index += 1) await platform.say({ text: `flood ${index}` });
  await bench.ledger.emitted.count(1, "the first of a flood");
  bench.ledger.release();
  const isAll = (): boolean => bench.ledger.texts("flood").length + bench.ledger.missedMessages >= floodMessages;
  while (!isAll()) await bench.ledger.accepted.count(bench.ledger.accepted.items.length + 1, "the rest of the flood");
  const texts = bench.ledger.texts("flood");
  const inOrder = texts.toSorted((one, other) => numberIn(one) - numberIn(other));
  assert.deepEqual(texts, inOrder, "the messages of one conversation are out of order");
  assert.equal(new Set(texts).size, texts.length, "a message of the flood came twice");
  if (platform.traits.recoversMissed) assert.equal(texts.length, floodMessages, "messages of the flood are lost");
}

/** It dies with half of a stream accepted: the next life brings the rest, and nothing twice. */
export async function resumesAfterADeath(platform: EmulatedPlatform): Promise<void> {
  await using bench = await AdapterBench.start(platform);
  const half = streamMessages / 2;
  for (let index = 0; index < half; index += 1) await platform.say({ text: `stream ${index}` });
  await bench.ledger.accepted.count(half, "the first half of a stream");
  bench.ledger.hold();
  for (let index = half; index < streamMessages; index += 1) await platform.say({ text: `stream ${index}` });
  await bench.ledger.emitted.count(half + 1, "the first of the second half");
  await bench.respawn();
  await platform.say({ text: "stream end" });
  await bench.ledger.acceptedText("stream end");
  await bench.ledger.accepted.count(streamMessages + 1, "the rest of the stream");
  const wanted = [...Array.from({ length: streamMessages }, (_, index) => `stream ${index}`), "stream end"];
  assert.deepEqual(bench.ledger.texts("stream").toSorted(), wanted.toSorted());
}

/** What was said while nobody was there. */
export async function fetchesWhatItMissed(platform: EmulatedPlatform): Promise<void> {
  await using bench = await AdapterBench.start(platform);
  await platform.say({ text: "present" });
  await bench.ledger.acceptedText("present");
  await bench.stop();
  await platform.say({ text: "absent" });
  await bench.start();
  await bench.ledger.acceptedText("absent");
  assert.deepEqual(bench.ledger.texts(), ["present", "absent"]);
}

function numberIn(text: string): number {
  return Number(text.slice(text.indexOf(" ") + 1));
}

/** See each. */
export const deliveryCases: readonly ConformanceCase[] = [
  { title: "gives a message that comes again its old id, and each other one its own", run: givesAnOldMessageItsOldId },
  {
    title: "acknowledges a message only once it is accepted",
    unless: withoutAcknowledgements,
    run: acknowledgesAfterAccept,
  },
  {
    title: "brings again what the gateway refused",
    setsClock: true,
    unless: either(withoutAcknowledgements, withoutRecovery),
    run: keepsWhatWasRefused,
  },
  { title: "brings a flood in order once there is credit", run: survivesAFloodWithoutCredit },
  { title: "goes on after a death in mid-stream where it was", unless: withoutRecovery, run: resumesAfterADeath },
  { title: "brings what was said while it was stopped", unless: withoutRecovery, run: fetchesWhatItMissed },
];
