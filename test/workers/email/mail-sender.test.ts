import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { GatewayError } from "../../../src/contract/errors.ts";
import type { EmailSettings } from "../../../src/contract/settings.ts";
import { accountOf } from "../../../workers/email/account.ts";
import { MailSender } from "../../../workers/email/mail-sender.ts";
import { within } from "../../conformance/within.ts";
import { dovecotMissing } from "../../emulators/email/dovecot.ts";
import { EmailPlatform } from "../../emulators/email/platform.ts";
import { turns } from "../../support/turns.ts";
import { mailOf, plainHeader } from "./email-bench.ts";

describe("MailSender", { skip: dovecotMissing }, () => {
  it("says of a mail that was written that it may have been sent, also when one behind it was given up", async () => {
    await using email = await EmailPlatform.start();
    const { agent } = email;
    using sender = new MailSender(accountOf(email.settings as unknown as EmailSettings));
    const written = Promise.withResolvers<void>();
    agent.keep = async () => {
      written.resolve();
      await new Promise<never>(() => {});
    };
    const givenUp = new AbortController();
    const send = (text: string, signal = new AbortController().signal): Promise<string> =>
      sender.send(mailOf(plainHeader(text), text), { to: "ann@people.example", signal }).then(
        () => "sent",
        (reason: unknown) => GatewayError.from(reason).code,
      );
    const first = send("first");
    await within(written.promise, "the first mail");
    const second = send("second", givenUp.signal);
    const third = send("third");
    givenUp.abort(new GatewayError("platform_unavailable", "given up"));
    assert.equal(await second, "platform_unavailable");
    await turns();
    agent.keep = async () => {};
    agent.dropConnections();
    assert.deepEqual(await within(Promise.all([first, third]), "the end of both"), ["timeout", "sent"]);
    assert.deepEqual(
      agent.taken.items.map(({ mail }) => mail.text?.trim()),
      ["first", "third"],
    );
  });
});
