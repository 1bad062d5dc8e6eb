/** A good start, and an end that leaves nothing behind. */
import assert from "node:assert/strict";
import { AdapterBench } from "../adapter-bench.ts";
import { calledByClients, either, withoutConnection, type ConformanceCase } from "../conformance-case.ts";
import type { EmulatedPlatform } from "../emulated-platform.ts";
import { within } from "../within.ts";

/** What is said comes in, what is answered goes out, and the probe holds. */
export async function startsAndTalks(platform: EmulatedPlatform): Promise<void> {
  await using bench = await AdapterBench.start(platform);
  if (platform.traits.keepsConnection && !platform.traits.isPull)
    assert.ok(platform.connections.live > 0, "start resolved before there was a connection");
  const id = await platform.say({ text: "hello there" });
  const heard = await bench.ledger.acceptedText("hello there");
  assert.ok(heard.sender.id !== "", "a message has a sender");
  assert.ok(heard.conversation !== "", "a message has a conversation");
  if (platform.traits.acknowledges) await within(platform.acknowledged(id), "the acknowledgement of a message");
  await bench.answer(heard, "hello yourself");
  const shown = await bench.shown(({ text }) => text === "hello yourself", "the answer");
  assert.equal(shown.conversation, heard.conversation, "the answer is shown elsewhere");
  await within(bench.running.probe?.() ?? Promise.resolve(), "the end of a probe");
}

/** No socket is left, and stopping again does no harm. */
export async function closesEverySocketOnStop(platform: EmulatedPlatform): Promise<void> {
  const bench = await AdapterBench.start(platform);
  await bench.hear("before the end");
  const { running } = bench;
  await bench.stop();
  await within(platform.allSocketsClosed(), "the end of every socket after stop", () => platform.openSockets);
  await within(running.stop(), "the end of a second stop");
}

/** A generation that is ended while it still connects leaves nothing behind. */
export async function givesUpAHangingStart(platform: EmulatedPlatform): Promise<void> {
  platform.setFault("connect", { kind: "hang" });
  const bench = new AdapterBench(platform);
  const start = bench.start();
  start.catch(() => {});
  await within(platform.faultMet("connect", 1), "the first contact");
  bench.abort();
  await within(
    start.catch(() => {}),
    "the end of a start whose generation was aborted",
  );
  await bench[Symbol.asyncDispose]();
  await within(platform.allSocketsClosed(), "the end of every socket", () => platform.openSockets);
}

/** Half-open or not, a live connection ends when the adapter stops. */
export async function closesAFrozenConnectionOnStop(platform: EmulatedPlatform): Promise<void> {
  const bench = await AdapterBench.start(platform);
  platform.freezeConnections();
  await bench.stop();
  await within(platform.allSocketsClosed(), "the end of every frozen socket", () => platform.openSockets);
}

/** One connection, not one per message or per life. */
export async function startsAgainAfterAStop(platform: EmulatedPlatform): Promise<void> {
  await using bench = await AdapterBench.start(platform);
  await bench.hear("first life");
  await bench.stop();
  await bench.start();
  await bench.hear("second life");
  assert.deepEqual(bench.ledger.texts(), ["first life", "second life"]);
  assert.ok(platform.connections.live <= 1, `${platform.connections.live} connections are open`);
}

/** See each. */
export const startCases: readonly ConformanceCase[] = [
  { title: "starts, hears, answers and proves that it lives", run: startsAndTalks },
  { title: "closes every socket when it is stopped, and may be stopped twice", run: closesEverySocketOnStop },
  { title: "starts again after a stop", run: startsAgainAfterAStop },
  { title: "gives up a hanging start when its generation ends", unless: calledByClients, run: givesUpAHangingStart },
  {
    title: "closes a half-open connection when it is stopped",
    unless: either(calledByClients, withoutConnection),
    run: closesAFrozenConnectionOnStop,
  },
];
