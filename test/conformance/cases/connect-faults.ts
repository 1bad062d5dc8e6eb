/** What a service at fault makes of a start: a clear word within its time, and no storm of tries. */
import assert from "node:assert/strict";
import { GatewayError } from "../../../src/contract/errors.ts";
import { AdapterBench } from "../adapter-bench.ts";
import { calledByClients, type ConformanceCase } from "../conformance-case.ts";
import type { EmulatedPlatform, PlatformFault } from "../emulated-platform.ts";
import { FakeClock, type Outcome } from "../fake-clock.ts";
import { within } from "../within.ts";

/** `start` settles by itself within this, whatever the service does. */
const startDeadlineSeconds = 20;
/** Contacts of one start: a library may try a few times by itself. */
const mostTries = 10;
/** After its end nothing of it may stir for this long. */
const quietSeconds = 30;
const longRetryAfterSeconds = 120;

/** `unauthorized`, for good, with what a person must do, after one try. */
export async function reportsBadCredentials(platform: EmulatedPlatform): Promise<void> {
  platform.setFault("connect", { kind: "bad_credentials" });
  const error = failureOf(await outcomeOfStart(platform));
  assert.equal(error.code, "unauthorized", error.message);
  assert.deepEqual(error.retry, { kind: "never" });
  assert.ok((error.userAction ?? "").length > 10, `it does not say what a person must do: ${error.userAction}`);
  assert.ok(platform.faultsMet("connect") <= 2, `${platform.faultsMet("connect")} tries with bad credentials`);
}

/** A service that accepts and never answers. */
export async function endsAStartThatHangs(platform: EmulatedPlatform): Promise<void> {
  platform.setFault("connect", { kind: "hang" });
  const error = failureOf(await outcomeOfStart(platform));
  assert.ok(["timeout", "platform_unavailable"].includes(error.code), `${error.code}: ${error.message}`);
  assert.ok(platform.faultsMet("connect") <= mostTries, `${platform.faultsMet("connect")} tries`);
}

/** A service that asks to wait for longer than a start may take. */
export async function passesOnRetryAfter(platform: EmulatedPlatform): Promise<void> {
  platform.setFault("connect", { kind: "rate_limit", retryAfterSeconds: longRetryAfterSeconds, times: 1_000 });
  const error = failureOf(await outcomeOfStart(platform));
  assert.equal(error.code, "rate_limited", error.message);
  assert.ok(
    error.retry.kind === "after" && error.retry.delayMs >= (longRetryAfterSeconds - startDeadlineSeconds) * 1_000,
    `the service asked for ${longRetryAfterSeconds} s, the error says ${JSON.stringify(error.retry)}`,
  );
  assert.ok(platform.faultsMet("connect") <= 2, `${platform.faultsMet("connect")} tries against a rate limit`);
}

/** A service that is down for long. */
export async function givesUpOnServerErrors(platform: EmulatedPlatform): Promise<void> {
  await givesUp(platform, { kind: "server_error", status: 503, times: 1_000 });
}

/** A service whose sockets are cut. */
export async function givesUpOnCutConnections(platform: EmulatedPlatform): Promise<void> {
  await givesUp(platform, { kind: "drop", times: 1_000 });
}

/** A short burst of errors, after which a start, the same or a later one, gets through. */
export async function startsAfterABurst(platform: EmulatedPlatform): Promise<void> {
  platform.setFault("connect", { kind: "server_error", status: 502, times: 3 });
  await using clock = new FakeClock();
  await using bench = new AdapterBench(platform);
  // Each life meets at least one of the three.
  for (let life = 0; life < 4; life += 1) {
    const outcome = await clock.outcomeOf(bench.start(), startDeadlineSeconds, "the end of start");
    if (outcome.kind === "resolved") break;
    await bench.stop();
  }
  await platform.say({ text: "after the burst" });
  await bench.ledger.acceptedText("after the burst");
}

async function givesUp(platform: EmulatedPlatform, fault: PlatformFault): Promise<void> {
  platform.setFault("connect", fault);
  const error = failureOf(await outcomeOfStart(platform));
  assert.ok(["platform_unavailable", "timeout"].includes(error.code), `${error.code}: ${error.message}`);
  assert.notEqual(error.retry.kind, "never", "what passes by itself is to be tried again");
  assert.ok(platform.faultsMet("connect") <= mostTries, `${platform.faultsMet("connect")} tries of one start`);
}

/** How a start ends by itself, as seen by whoever called it; nothing of it is left. */
async function outcomeOfStart(platform: EmulatedPlatform): Promise<Outcome> {
  await using clock = new FakeClock();
  const bench = new AdapterBench(platform);
  try {
    const start = bench.start();
    start.catch(() => {});
    await within(platform.faultMet("connect", 1), "the first contact");
    return await clock.outcomeOf(start, startDeadlineSeconds, "the end of start");
  } finally {
    await bench[Symbol.asyncDispose]();
    const met = platform.faultsMet("connect");
    await clock.advanceUntil(() => platform.faultsMet("connect") > met, quietSeconds);
    assert.equal(
      platform.faultsMet("connect"),
      met,
      "it goes on trying although its start has failed and it was stopped",
    );
    platform.liftFault("connect");
    await within(
      platform.allSocketsClosed(),
      "the end of every socket after a failed start",
      () => platform.openSockets,
    );
  }
}

function failureOf(outcome: Outcome): GatewayError {
  if (outcome.kind === "resolved") throw new assert.AssertionError({ message: "start resolved in spite of the fault" });
  return GatewayError.from(outcome.reason);
}

/** See each. */
export const connectFaultCases: readonly ConformanceCase[] = [
  { title: "reports bad credentials, once, with what a person must do", run: reportsBadCredentials },
  { title: "ends a start that the service never answers", run: endsAStartThatHangs },
  { title: "passes on how long the service asks it to wait", run: passesOnRetryAfter },
  { title: "gives up after a few tries on a service that is down", run: givesUpOnServerErrors },
  { title: "gives up after a few tries on connections that are cut", run: givesUpOnCutConnections },
  { title: "gets through after a short burst of server errors", run: startsAfterABurst },
].map((each) => ({ ...each, setsClock: true, unless: calledByClients }));
