/** What happens to a connection that was good: cut, frozen, replaced, refused later. */
import assert from "node:assert/strict";
import { GatewayError } from "../../../src/contract/errors.ts";
import { AdapterBench } from "../adapter-bench.ts";
import { calledByClients, either, withoutConnection, type ConformanceCase } from "../conformance-case.ts";
import type { EmulatedPlatform } from "../emulated-platform.ts";
import { FakeClock } from "../fake-clock.ts";
import { turns, within } from "../within.ts";

/** Tries of one life against a service that refuses it, and lives that one cut may cost. */
const most = { tries: 10, lives: 3 } as const;
/** The longest a dead connection may go unnoticed by adapter and supervisor together. */
const noticeSeconds = 180;
/** After its end nothing of it may stir for this long. */
const quietSeconds = 30;
/** By then an adapter that cannot get its connection back has given up, as the supervisor counts on. */
const reconnectSeconds = 120;

/** The socket is cut: by itself or in another life, it is back, and says everything once. */
export async function comesBackAfterACut(platform: EmulatedPlatform): Promise<void> {
  await using clock = FakeClock.gentle();
  await using bench = await AdapterBench.start(platform);
  bench.keepRunning();
  await bench.hear("before the cut");
  platform.dropConnections();
  await clock.hurry(bench.hear("after the cut"), reconnectSeconds, "what was said after the cut");
  assert.ok(bench.generation <= most.lives, `one cut cost ${bench.generation} lives`);
}

/** Cut again and again: each connection takes the place of the one before. */
export async function replacesItsConnection(platform: EmulatedPlatform): Promise<void> {
  await using clock = FakeClock.gentle();
  await using bench = await AdapterBench.start(platform);
  bench.keepRunning();
  await bench.hear("connection 0");
  for (let round = 1; round <= 3; round += 1) {
    platform.dropConnections();
    await clock.hurry(bench.hear(`connection ${round}`), reconnectSeconds, `what was said after cut ${round}`);
  }
  // Otherwise what is heard may be the last of a life that is over already.
  await clock.hurry(bench.settled(), reconnectSeconds, "the end of all starts");
  await bench.hear("all is quiet");
  // What else there is has its time to show.
  await turns(100);
  const connections = platform.connections.live;
  assert.ok(connections <= 1, `${connections} connections are open at once`);
  const texts = bench.ledger.emitted.items.map(({ message }) => message.text);
  const last = texts.filter((text) => text === "all is quiet");
  assert.equal(last.length, 1, "a message of the last connection is emitted more than once: an old one still listens");
}

/** The connection stays open and nothing comes any more. */
export async function noticesAHalfOpenConnection(platform: EmulatedPlatform): Promise<void> {
  await using clock = new FakeClock();
  await using bench = await AdapterBench.start(platform);
  await bench.hear("before the silence");
  const { ledger, maxSilenceMs } = bench;
  const before = { total: platform.connections.total, signs: ledger.signs.items.length };
  platform.freezeConnections();
  await turns(20);
  const frames = ledger.frames;
  const hasNoticed = (): boolean =>
    ledger.signs.items.length > before.signs || platform.connections.total > before.total;
  assert.ok(maxSilenceMs <= noticeSeconds * 1_000, `nobody would notice for ${maxSilenceMs} ms`);
  const hasItself = await clock.advanceUntil(hasNoticed, maxSilenceMs / 1_000);
  // The supervisor goes by the frames: when none came for so long, it is at it now.
  const hasSupervisor = maxSilenceMs > 0 && ledger.frames === frames;
  if (!hasItself && !hasSupervisor)
    assert.ok(
      await clock.advanceUntil(hasNoticed, noticeSeconds - maxSilenceMs / 1_000),
      maxSilenceMs > 0
        ? "it reports frames of a connection on which nothing comes, and does not notice by itself"
        : "nobody would notice: it declares no maxSilenceMs and does not notice by itself",
    );
  await bench.stop();
  await bench.start();
  await bench.hear("after the silence");
}

/** The credentials are taken back while it runs: this life or the next one says so, and there is no third. */
export async function reportsRevokedCredentials(platform: EmulatedPlatform): Promise<void> {
  await using clock = new FakeClock();
  await using bench = await AdapterBench.start(platform);
  bench.keepRunning();
  await bench.hear("before the end of its rights");
  platform.setFault("connect", { kind: "bad_credentials" });
  platform.setFault("receive", { kind: "bad_credentials" });
  platform.dropConnections();
  const isOver = (): boolean => bench.ledger.errors.some((reason) => GatewayError.from(reason).code === "unauthorized");
  assert.ok(
    await clock.advanceUntil(isOver, reconnectSeconds),
    `it does not say that its credentials are refused, but ${bench.ledger.errors.map(String).join(", ")}`,
  );
  const tries = (): number => platform.faultsMet("connect") + platform.faultsMet("receive");
  assert.ok(tries() <= most.tries, `${tries()} tries with refused credentials`);
  const met = tries();
  await clock.advanceUntil(() => tries() > met, quietSeconds);
  assert.equal(tries(), met, "it goes on trying with refused credentials");
}

/** The service is gone for long: a bounded number of tries, then it is the supervisor's turn. */
export async function leavesALongOutageToTheSupervisor(platform: EmulatedPlatform): Promise<void> {
  await using clock = new FakeClock();
  await using bench = await AdapterBench.start(platform);
  await bench.hear("before the outage");
  const outage = { kind: "drop", times: 1_000_000 } as const;
  platform.setFault("connect", outage);
  platform.setFault("receive", outage);
  platform.dropConnections();
  const isOver = (): boolean => bench.ledger.signs.items.some(({ kind }) => kind === "closed");
  assert.ok(await clock.advanceUntil(isOver, reconnectSeconds), "it never hands a lost connection to the supervisor");
  const tries = platform.faultsMet("connect") + platform.faultsMet("receive");
  assert.ok(tries <= 3 * most.tries, `${tries} tries of one life against a service that is gone`);
  platform.liftFault("connect");
  platform.liftFault("receive");
  await bench.stop();
  await within(platform.allSocketsClosed(), "the end of every socket", () => platform.openSockets);
  await within(bench.start(), "the start after the outage");
  await bench.hear("after the outage");
}

const ofItsOwn = either(calledByClients, withoutConnection);

/** See each. */
export const liveFaultCases: readonly ConformanceCase[] = [
  { title: "comes back after its connection was cut", run: comesBackAfterACut },
  {
    title: "has one connection after the other, and listens on the last alone",
    unless: withoutConnection,
    run: replacesItsConnection,
  },
  { title: "notices a half-open connection, or lets it be noticed", unless: ofItsOwn, run: noticesAHalfOpenConnection },
  { title: "ends for good when its credentials are refused later", unless: ofItsOwn, run: reportsRevokedCredentials },
  { title: "leaves a long outage to the supervisor", unless: ofItsOwn, run: leavesALongOutageToTheSupervisor },
].map((each) => ({ ...each, setsClock: true }));
