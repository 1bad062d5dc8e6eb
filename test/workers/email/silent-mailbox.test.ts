import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { GatewayError } from "../../../src/contract/errors.ts";
import { FakeClock, type Outcome } from "../../conformance/fake-clock.ts";
import { dovecotMissing } from "../../emulators/email/dovecot.ts";
import type { EmailPlatform } from "../../emulators/email/platform.ts";
import { startEmail } from "./email-bench.ts";

/** Searches by a header are never answered; the adapter listens without any. */
function silenceSearches({ imap }: EmailPlatform): void {
  imap.onCommand = (command) => (/SEARCH .*HEADER/iu.test(command) ? { kind: "hang" } : null);
}

function codeOf(outcome: Outcome): string {
  return outcome.kind === "rejected" ? GatewayError.from(outcome.reason).code : outcome.kind;
}

describe("a mailbox that never answers a search", { skip: dovecotMissing }, () => {
  it("keeps a send from being said, in time for it to be tried again, and nothing of it is said later", async () => {
    await using clock = new FakeClock();
    await using started = await startEmail();
    const { email, bench } = started;
    const asked = await bench.hear("a question");
    await bench.respawn();
    silenceSearches(email);
    const outcome = await clock.outcomeOf(bench.send(asked.conversation, "by the way"), 29, "the end of a send");
    assert.equal(codeOf(outcome), "platform_unavailable");
    email.imap.onCommand = () => null;
    await clock.advance(60);
    assert.equal(email.agent.taken.items.length, 0);
  });

  it("ends a question for history while its handler still waits, and keeps none that comes after it", async () => {
    await using clock = new FakeClock();
    await using started = await startEmail();
    const { email, bench } = started;
    const { conversation, replyTo = null, id } = await bench.hear("a question");
    const ask = (): Promise<unknown> =>
      bench.running.history?.({ conversation, replyTo, limit: 10, before: id }) ?? Promise.resolve();
    silenceSearches(email);
    assert.equal(codeOf(await clock.outcomeOf(ask(), 15, "the end of history")), "timeout");
    email.imap.onCommand = () => null;
    assert.equal(codeOf(await clock.outcomeOf(ask(), 14, "the next history")), "resolved");
  });
});
