/** A service at fault, as the supervisor shows it: what a person must do, no storm, and a silence that is noticed. */
import assert from "node:assert/strict";
import type { AdapterStatus } from "../../../src/contract/status.ts";
import { calledByClients, either, withoutConnection, type ConformanceCase } from "../conformance-case.ts";
import type { EmulatedPlatform } from "../emulated-platform.ts";
import { GatewayBench } from "../gateway-bench.ts";
import { within } from "../within.ts";

/** Contacts of one life that fails. */
const mostTries = 10;
/** A quick supervisor: two failures, then a long wait. */
const hasty = "backoff_min_ms = 50\nbackoff_max_ms = 100\nslow_retry_failures = 2\nslow_retry_ms = 600000";
/** Too short for a start on a busy machine: only for one that is to fail. */
const impatient = `${hasty}\nstart_timeout_ms = 2000`;
const quick = "backoff_min_ms = 50\nbackoff_max_ms = 100";
/** What a silence may be called: by the supervisor, or by an adapter that hands its connection back. */
const silences: readonly AdapterStatus["reason"][] = ["silent_transport", "stream_ended", "platform_unavailable"];
/** Lives that one silence may cost. */
const mostLives = 2;
/** The longest that a case waits for one to show, milliseconds. */
const longestSilenceMs = 20_000;

/** `needs_attention` with what a person must do; not tried again by itself; well again once it is put right. */
export async function needsAttention(platform: EmulatedPlatform): Promise<void> {
  platform.setFault("connect", { kind: "bad_credentials" });
  await using bench = await GatewayBench.start(platform, { supervisor: hasty });
  const adapter = await bench.reached("needs_attention");
  assert.equal(adapter.reason, "bad_credentials");
  assert.ok((adapter.userAction ?? "").length > 10, "it does not say what a person must do");
  assert.ok(msUntil(adapter.nextRetryAt) > 60_000, `it is tried again at ${adapter.nextRetryAt}`);
  const met = platform.faultsMet("connect");
  assert.ok(met <= 2, `${met} tries with bad credentials`);
  // A save that changes nothing about it is no reason to try.
  await bench.save({ supervisor: hasty });
  assert.equal(platform.faultsMet("connect"), met, "an unrelated reload tried the bad credentials again");
  platform.liftFault("connect");
  await bench.restart();
  await bench.reached("running");
  await bench.talk("well again");
}

/**
 * A service that asks to wait is left alone for so long; one that hangs, then cuts every connection, gets a few tries per
 * life in a few lives, then a long wait.
 */
export async function makesNoStorm(platform: EmulatedPlatform): Promise<void> {
  platform.setFault("connect", { kind: "rate_limit", retryAfterSeconds: 120, times: 1_000 });
  await using bench = await GatewayBench.start(platform, { supervisor: hasty });
  const asked = await bench.reached("backing_off");
  assert.equal(asked.reason, "rate_limited", asked.message ?? "");
  assert.ok(
    msUntil(asked.nextRetryAt) > 90_000,
    `the service asked for 120 s, it is tried again at ${asked.nextRetryAt}`,
  );
  const askedTries = platform.faultsMet("connect");
  assert.ok(askedTries <= 2, `${askedTries} tries against a rate limit`);

  platform.setFault("connect", { kind: "hang" });
  await bench.save({ supervisor: impatient });
  await bench.reached("backing_off", ({ generation, reason }) => generation === null && reason !== "rate_limited");
  platform.setFault("connect", { kind: "drop", times: 1_000_000 });
  const adapter = await bench.reached("backing_off", ({ nextRetryAt }) => msUntil(nextRetryAt) > 60_000);
  const met = platform.faultsMet("connect") - askedTries;
  const lives = adapter.restarts + 1;
  assert.ok(met <= lives * mostTries, `${met} tries in ${lives} lives`);
  await within(platform.allSocketsClosed(), "the end of every socket of the lives before", () => platform.openSockets);

  platform.liftFault("connect");
  await bench.save({ supervisor: hasty });
  await bench.reached("running");
  await bench.talk("well again");
}

/** The connection stays open and carries nothing: the status says so, a new one takes its place, and nothing is lost. */
export async function endsASilence(platform: EmulatedPlatform): Promise<void> {
  await using bench = await GatewayBench.start(platform, { supervisor: quick });
  await bench.reached("running");
  await bench.talk("before the silence");
  const { live, total } = platform.connections;
  const noticed = bench.nextState(
    ({ state, reason }) => state === "reconnecting" || reason !== "none",
    "a silent connection in the adapter's status",
  );
  platform.freezeConnections();
  await platform.say({ text: "into the silence" });
  const { state, reason } = await noticed;
  assert.ok(state === "reconnecting" || silences.includes(reason), `the status says ${state} for the reason ${reason}`);
  await bench.reached("running", () => platform.connections.total > total);
  await bench.reached("running", () => platform.connections.live <= live);
  if (platform.traits.recoversMissed) await bench.hears("into the silence");
  await bench.talk("after the silence");
  const { restarts } = await bench.adapter();
  assert.ok(restarts <= mostLives, `one silence cost ${restarts} lives`);
}

/** Where the times of an adapter are too long for a test. */
function withoutShortSilence({ traits, module }: EmulatedPlatform): string | null {
  const { silenceShowsMs = module.maxSilenceMs } = traits;
  if (silenceShowsMs === 0) return "it does not say how soon a silence of it shows";
  if (silenceShowsMs <= longestSilenceMs) return null;
  return `a silence of it shows only after ${silenceShowsMs / 1_000} s`;
}

function msUntil(time: string | null): number {
  return time === null ? 0 : Date.parse(time) - Date.now();
}

/** See each. */
export const gatewayFaultCases: readonly ConformanceCase[] = [
  {
    title: "needs attention for bad credentials, and is not tried again by itself",
    unless: calledByClients,
    run: needsAttention,
  },
  {
    title: "waits as long as it is asked, and makes no storm against a service that is away",
    unless: calledByClients,
    run: makesNoStorm,
  },
  {
    title: "shows a half-open connection in its status, and gets over it",
    unless: either(calledByClients, withoutConnection, withoutShortSilence),
    run: endsASilence,
  },
];
