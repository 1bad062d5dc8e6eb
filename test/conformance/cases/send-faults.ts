/** What becomes of a message on its way out when the service is at fault: a typed refusal, and one copy in the end. */
import assert from "node:assert/strict";
import { GatewayError } from "../../../src/contract/errors.ts";
import type { EmittedMessage } from "../../../src/contract/message.ts";
import { AdapterBench } from "../adapter-bench.ts";
import { calledByClients, type ConformanceCase } from "../conformance-case.ts";
import type { EmulatedPlatform, PlatformFault } from "../emulated-platform.ts";
import { FakeClock, type Outcome } from "../fake-clock.ts";

/** A send settles by itself within this, as the outbox's own deadline wants it. */
const sendDeadlineSeconds = 60;
/** Sends of the outbox, and calls of one send. */
const most = { attempts: 4, calls: 4 } as const;
const text = "said once";

/** The wait that the service asks for is kept, by the adapter or by whoever sends again. */
export async function keepsARateLimit(platform: EmulatedPlatform): Promise<void> {
  const fault = { kind: "rate_limit", retryAfterSeconds: 3, times: 1 } as const;
  const refusals = await saysItOnceInSpiteOf(platform, fault);
  for (const { code, retry, message } of refusals) {
    assert.equal(code, "rate_limited", message);
    assert.ok(retry.kind === "after" && retry.delayMs >= 2_000, `the service asked for 3 s: ${JSON.stringify(retry)}`);
  }
}

/** A wait that is longer than a send may take is passed on, with its time. */
export async function passesOnALongRateLimit(platform: EmulatedPlatform): Promise<void> {
  await withAMessage(platform, async (bench, clock, heard) => {
    platform.setFault("send", { kind: "rate_limit", retryAfterSeconds: 300, times: 1_000 });
    const error = failureOf(await clock.outcomeOf(bench.answer(heard, text), sendDeadlineSeconds, "the end of a send"));
    assert.equal(error.code, "rate_limited", error.message);
    assert.ok(error.retry.kind === "after" && error.retry.delayMs >= 200_000, JSON.stringify(error.retry));
    assert.ok(platform.faultsMet("send") <= 2, `${platform.faultsMet("send")} calls against a rate limit`);
  });
}

/** An error of the service's own. */
export async function saysItOnceAfterAServerError(platform: EmulatedPlatform): Promise<void> {
  await saysItOnceInSpiteOf(platform, { kind: "server_error", status: 503, times: 1 });
}

/** A socket that is cut under a call. */
export async function saysItOnceAfterACut(platform: EmulatedPlatform): Promise<void> {
  await saysItOnceInSpiteOf(platform, { kind: "drop", times: 1 });
}

/** A service that is down: a send ends, as one that may be tried again, after a few calls. */
export async function givesUpASendThatCannotBe(platform: EmulatedPlatform): Promise<void> {
  await withAMessage(platform, async (bench, clock, heard) => {
    platform.setFault("send", { kind: "server_error", status: 500, times: 1_000 });
    const error = failureOf(await clock.outcomeOf(bench.answer(heard, text), sendDeadlineSeconds, "the end of a send"));
    assert.notEqual(error.retry.kind, "never", `${error.code}: what passes by itself is to be tried again`);
    assert.ok(platform.faultsMet("send") <= most.calls, `${platform.faultsMet("send")} calls of one send`);
  });
}

/** A call that is never answered: the send ends, and what comes in meanwhile is heard. */
export async function endsASendThatHangs(platform: EmulatedPlatform): Promise<void> {
  await withAMessage(platform, async (bench, clock, heard) => {
    platform.setFault("send", { kind: "hang" });
    const answer = bench.answer(heard, text);
    answer.catch(() => {});
    await platform.faultMet("send", 1);
    await bench.hear("heard while a send hangs");
    const error = failureOf(await clock.outcomeOf(answer, sendDeadlineSeconds, "the end of a send"));
    assert.ok(["timeout", "platform_unavailable"].includes(error.code), `${error.code}: ${error.message}`);
  });
}

/** A stop does not wait for a call that is never answered. */
export async function stopsUnderAHangingSend(platform: EmulatedPlatform): Promise<void> {
  await using bench = await AdapterBench.start(platform);
  const heard = await bench.hear("somebody is there");
  platform.setFault("send", { kind: "hang" });
  const answer = bench.answer(heard, text);
  const ended = answer.then(
    () => "resolved",
    () => "rejected",
  );
  await platform.faultMet("send", 1);
  await bench.stop();
  assert.equal(await ended, "rejected", "a send that nobody answered was reported as done");
}

/** A conversation that is not there: `not_found` or the like, and never again. */
export async function refusesAnUnknownConversation(platform: EmulatedPlatform): Promise<void> {
  await using bench = await AdapterBench.start(platform);
  for (const conversation of ["no-such-place", "999999999999", "C000NOWHERE", "../../x", "a b\u0000c"]) {
    const error = failureOf(
      await bench.send(conversation, text).then(
        () => ({ kind: "resolved" }),
        (reason: unknown) => ({ kind: "rejected", reason }),
      ),
    );
    assert.equal(error.retry.kind, "never", `${conversation}: ${error.code} is to be tried again`);
    assert.notEqual(error.code, "unauthorized", "a wrong conversation says nothing about the credentials");
  }
  await bench.hear("still there");
}

/** Sends until it is shown, as the outbox does. What was refused on the way. */
async function saysItOnceInSpiteOf(platform: EmulatedPlatform, fault: PlatformFault): Promise<readonly GatewayError[]> {
  const refusals: GatewayError[] = [];
  await withAMessage(platform, async (bench, clock, heard) => {
    bench.keepRunning();
    platform.setFault("send", fault);
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await clock.outcomeOf(
        bench.answer(heard, text, "once"),
        sendDeadlineSeconds,
        "the end of a send",
      );
      if (outcome.kind === "resolved") break;
      const error = failureOf(outcome);
      assert.notEqual(error.retry.kind, "never", `${error.code}: ${error.message}`);
      assert.ok(attempt < most.attempts, `never shown: ${error.message}`);
      refusals.push(error);
      await clock.advance(error.retry.kind === "after" ? error.retry.delayMs / 1_000 : 1);
    }
    await bench.shown((item) => item.text === text, "what was said");
    await bench.answer(heard, "and another");
    await bench.shown((item) => item.text === "and another", "what was said next");
    const copies = platform.shown.filter((item) => item.text === text);
    assert.equal(copies.length, 1, `it is shown ${copies.length} times`);
  });
  return refusals;
}

async function withAMessage(
  platform: EmulatedPlatform,
  run: (bench: AdapterBench, clock: FakeClock, heard: EmittedMessage) => Promise<void>,
): Promise<void> {
  await using clock = new FakeClock();
  await using bench = await AdapterBench.start(platform);
  await run(bench, clock, await bench.hear("somebody is there"));
}

function failureOf(outcome: Outcome | { readonly kind: string; readonly reason?: unknown }): GatewayError {
  if (outcome.kind === "resolved")
    throw new assert.AssertionError({ message: "the send resolved in spite of the fault" });
  return GatewayError.from("reason" in outcome ? outcome.reason : null);
}

/** See each. */
export const sendFaultCases: readonly ConformanceCase[] = [
  { title: "keeps the wait that a rate limit asks for", run: keepsARateLimit },
  { title: "passes on a rate limit that lasts longer than a send", run: passesOnALongRateLimit },
  { title: "says it once after a server error", run: saysItOnceAfterAServerError },
  { title: "says it once after its socket was cut", run: saysItOnceAfterACut },
  { title: "gives up a send after a few calls", run: givesUpASendThatCannotBe },
  { title: "ends a send that is never answered, and hears meanwhile", run: endsASendThatHangs },
  { title: "stops under a send that is never answered", setsClock: false, run: stopsUnderAHangingSend },
  { title: "refuses a conversation that is not there, for good", setsClock: false, run: refusesAnUnknownConversation },
].map((each) => ({ setsClock: true, ...each, unless: calledByClients }));
