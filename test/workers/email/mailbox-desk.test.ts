import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { EmailSettings } from "../../../src/contract/settings.ts";
import { accountOf } from "../../../workers/email/account.ts";
import type { ImapConnection } from "../../../workers/email/imap-connection.ts";
import { MailboxDesk } from "../../../workers/email/mailbox-desk.ts";
import { within } from "../../conformance/within.ts";
import { dovecotMissing } from "../../emulators/email/dovecot.ts";
import { EmailPlatform } from "../../emulators/email/platform.ts";
import { turns } from "../../support/turns.ts";

/** A question that is answered when the test says so. */
function held() {
  const begun = Promise.withResolvers<ImapConnection>();
  const end = Promise.withResolvers<void>();
  const ask = async (connection: ImapConnection): Promise<string> => {
    begun.resolve(connection);
    await end.promise;
    await connection.check(5_000);
    return "answered";
  };
  return { ask, begun: within(begun.promise, "the question's turn"), end: () => end.resolve() };
}

describe("MailboxDesk", { skip: dovecotMissing }, () => {
  it("leaves a question its connection and its turn when one that waits behind it is given up", async () => {
    await using email = await EmailPlatform.start();
    using desk = new MailboxDesk(accountOf(email.settings as unknown as EmailSettings));
    const [one, three] = [held(), held()];
    const givenUp = new AbortController();
    const first = desk.ask(one.ask);
    const connection = await one.begun;
    const second = desk.ask(async () => assert.fail("it was asked"), givenUp.signal);
    let isThirdBegun = false;
    const third = desk.ask((its) => {
      isThirdBegun = true;
      return three.ask(its);
    });
    givenUp.abort(new Error("given up"));
    await assert.rejects(second, /given up/u);
    await turns();
    assert.deepEqual([isThirdBegun, connection.isOver], [false, false]);
    one.end();
    three.end();
    assert.deepEqual(await within(Promise.all([first, third]), "both answers"), ["answered", "answered"]);
    assert.equal(await three.begun, connection);
  });

  it("ends the connection of a question that is given up in the middle, and opens another one for the next", async () => {
    await using email = await EmailPlatform.start();
    using desk = new MailboxDesk(accountOf(email.settings as unknown as EmailSettings));
    const [one, two] = [held(), held()];
    const givenUp = new AbortController();
    const first = desk.ask(one.ask, givenUp.signal);
    const connection = await one.begun;
    const second = desk.ask(two.ask);
    givenUp.abort(new Error("given up"));
    await assert.rejects(first, /given up/u);
    assert.equal(connection.isOver, true);
    one.end();
    two.end();
    assert.equal(await within(second, "the answer"), "answered");
    assert.notEqual(await two.begun, connection);
  });
});
