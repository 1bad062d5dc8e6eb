import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { GatewayError } from "../../../src/contract/errors.ts";
import type { EmittedMessage } from "../../../src/contract/message.ts";
import { FakeClock } from "../../conformance/fake-clock.ts";
import { dovecotMissing } from "../../emulators/email/dovecot.ts";
import type { AtEnd } from "../../emulators/email/mail-transfer-agent.ts";
import { type EmailBench, startEmail } from "./email-bench.ts";

const sent = { idempotencyKey: "m1/0", attemptedAt: "2026-01-02T03:04:05.000Z" };

type Lost = EmailBench & { readonly asked: EmittedMessage; readonly complete: () => Promise<void> };

/** A send whose outcome the life before never learned. `other`: the provider has sent something else lately. */
async function lost({ keepsCopies, other }: { keepsCopies: boolean; other: boolean }): Promise<Lost> {
  const started = await startEmail({ keepsCopies });
  const { bench } = started;
  const asked = await bench.hear("a question");
  if (other) await bench.answer(asked, "another answer", "m0/0");
  return Object.assign(started, { asked, complete: () => bench.complete(asked, "an answer", sent) });
}

async function reasonOf(completion: Promise<void>): Promise<GatewayError> {
  const error = await completion.then(
    () => null,
    (reason: unknown) => GatewayError.from(reason),
  );
  assert.ok(error !== null, "it was completed");
  return error;
}

function answersIn({ email }: EmailBench): number {
  return email.shown.filter(({ text }) => text === "an answer").length;
}

describe("a send in doubt", { skip: dovecotMissing }, () => {
  it("is not said again where a copy of it is kept, though nothing else was sent", async () => {
    await using started = await lost({ keepsCopies: true, other: false });
    await started.bench.answer(started.asked, "an answer", sent.idempotencyKey);
    await started.complete();
    assert.equal(answersIn(started), 1);
  });

  it("is not said again where its copy comes late", async () => {
    await using clock = new FakeClock();
    await using started = await lost({ keepsCopies: true, other: true });
    const { email, bench, asked, complete } = started;
    const { keep } = email.agent;
    const kept = Promise.withResolvers<() => Promise<void>>();
    email.agent.keep = async (taken) => kept.resolve(() => keep(taken));
    await bench.answer(asked, "an answer", sent.idempotencyKey);
    const keepLate = await kept.promise;
    const completed = complete();
    const isEvidence = (command: string): boolean => /SEARCH .*(?:SINCE|YOUNGER)/iu.test(command);
    await email.imap.commands.first(isEvidence, "the end of the first look");
    await keepLate();
    assert.equal((await clock.outcomeOf(completed, 20, "the completion")).kind, "resolved");
    assert.equal(answersIn(started), 1);
  });

  it("stays in doubt where the provider keeps no copies, and where it has kept none so far", async () => {
    for (const keepsCopies of [false, true]) {
      await using started = await lost({ keepsCopies, other: !keepsCopies });
      const error = await reasonOf(started.complete());
      assert.deepEqual([error.code, error.retry.kind], ["timeout", "never"]);
      assert.equal(answersIn(started), 0);
    }
  });

  for (const atEnd of ["take_and_cut", "cut"] satisfies AtEnd[])
    it(`stays in doubt where the server does this to its second mail: ${atEnd}`, async () => {
      await using clock = new FakeClock();
      await using started = await lost({ keepsCopies: true, other: true });
      started.email.agent.atEnd = atEnd;
      started.email.agent.keep = async () => {};
      const outcome = await clock.outcomeOf(started.complete(), 30, "the completion");
      assert.equal(outcome.kind, "rejected");
      if (outcome.kind === "rejected") assert.equal(GatewayError.from(outcome.reason).retry.kind, "never");
      assert.equal(answersIn(started), atEnd === "cut" ? 0 : 1);
    });

  it("is left for later while the mailbox cannot be asked", async () => {
    await using started = await lost({ keepsCopies: true, other: true });
    started.email.setFault("connect", { kind: "drop", times: 1_000 });
    const error = await reasonOf(started.complete());
    assert.equal(error.code, "platform_unavailable");
    assert.notEqual(error.retry.kind, "never");
    assert.equal(answersIn(started), 0);
  });
});
