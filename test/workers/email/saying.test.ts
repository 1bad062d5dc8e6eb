import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { GatewayError } from "../../../src/contract/errors.ts";
import type { EmittedMessage } from "../../../src/contract/message.ts";
import { FakeClock } from "../../conformance/fake-clock.ts";
import { within } from "../../conformance/within.ts";
import { dovecotMissing } from "../../emulators/email/dovecot.ts";
import type { EmailPlatform } from "../../emulators/email/platform.ts";
import type { TakenMail } from "../../emulators/email/mail-transfer-agent.ts";
import { openPolicy } from "../../support/adapter-context.ts";
import { mailOf, plainHeader, startEmail } from "./email-bench.ts";

async function refused(send: Promise<void>): Promise<GatewayError> {
  const error = await send.then(
    () => null,
    (reason: unknown) => GatewayError.from(reason),
  );
  assert.ok(error !== null, "it was sent");
  return error;
}

function lastTaken(email: EmailPlatform): TakenMail {
  const taken = email.agent.taken.items.at(-1);
  assert.ok(taken !== undefined, "nothing was sent");
  return taken;
}

/** What a person's mail program makes of an answer: it names the mail alone, or its whole chain. */
function answerTo({ mail }: TakenMail, text: string, withReferences: boolean): Buffer {
  const chain = [...[mail.references ?? []].flat(), mail.messageId ?? ""].join(" ");
  const fields = plainHeader(`answer-${text}`, `In-Reply-To: ${mail.messageId ?? ""}`);
  return mailOf(withReferences ? [...fields, `References: ${chain}`] : fields, text);
}

describe("an answer", { skip: dovecotMissing }, () => {
  it("stays in its thread, and so do the answers to it", async () => {
    await using started = await startEmail();
    const { email, bench } = started;
    const asked = await bench.hear("a question");
    const more = await bench.hear("and another one");
    assert.equal(more.conversation, asked.conversation);
    await bench.answer(more, "both answered");
    const { mail, raw, to } = lastTaken(email);
    assert.deepEqual(to, ["ann@people.example"]);
    assert.equal(mail.subject, "Re: A question");
    assert.equal(mail.inReplyTo, more.metadata?.["email_message_id"]);
    assert.deepEqual(mail.references, [asked.metadata?.["email_message_id"], more.metadata?.["email_message_id"]]);
    assert.equal(raw.toString().match(/^References:/gmu)?.length, 1);
    for (const withReferences of [true, false]) {
      await email.deliver(answerTo(lastTaken(email), `thanks ${withReferences}`, withReferences));
      const thanked = await bench.ledger.acceptedText(`thanks ${withReferences}`);
      assert.equal(thanked.conversation, asked.conversation);
    }
  });

  it("goes to Reply-To where that is allowed, else to who wrote", async () => {
    const header = (id: string): readonly string[] => plainHeader(id, "Reply-To: office@elsewhere.example");
    await using started = await startEmail();
    const { email, bench } = started;
    await email.deliver(mailOf(header("one"), "one"));
    await bench.answer(await bench.ledger.acceptedText("one"), "to the office");
    assert.deepEqual(lastTaken(email).to, ["office@elsewhere.example"]);
    await bench.running.updatePolicy?.({ ...openPolicy, allowedSenders: ["people.example"] });
    await email.deliver(mailOf(header("two"), "two"));
    await bench.answer(await bench.ledger.acceptedText("two"), "to Ann");
    assert.deepEqual(lastTaken(email).to, ["ann@people.example"]);
  });

  it("has the same Message-ID when it is sent again, and another one for another answer", async () => {
    await using started = await startEmail();
    const { email, bench } = started;
    const asked = await bench.hear("a question");
    for (const key of ["m1/0", "m1/0", "m1/1"]) await bench.answer(asked, "an answer", key);
    const [first, again, other] = email.agent.taken.items.map(({ mail }) => mail.messageId);
    assert.equal(first, again);
    assert.notEqual(first, other);
  });

  it("carries HTML and text for a rich message, and a file as one", async () => {
    await using started = await startEmail();
    const { email, bench } = started;
    const asked = await bench.hear("show me");
    await bench.answer(asked, { kind: "rich_message", text: "look <here>", cards: [{ title: "Card", fields: [] }] });
    const { mail } = lastTaken(email);
    assert.match(mail.text ?? "", /look <here>\n\nCard/u);
    assert.match(String(mail.html), /look &lt;here&gt;/u);
    const bytes = Buffer.from(Array.from({ length: 5_000 }, (_, index) => index % 256));
    await bench.answer(asked, {
      kind: "file",
      filename: 'żółć "x".bin',
      data: bytes.toString("base64"),
      caption: "the file",
    });
    const { attachments, text } = lastTaken(email).mail;
    assert.deepEqual(
      attachments.map(({ filename, content }) => [filename, content.equals(bytes)]),
      [['żółć "x".bin', true]],
    );
    assert.equal(text?.trim(), "the file");
  });

  it("is refused before it leaves where its file is too large", async () => {
    await using started = await startEmail({ policy: { maxAttachmentBytes: 1_024 } });
    const { email, bench } = started;
    const asked = await bench.hear("show me");
    const data = Buffer.alloc(1_025).toString("base64");
    const error = await refused(bench.answer(asked, { kind: "file", filename: "x.bin", data }));
    assert.equal(error.code, "too_large");
    assert.equal(email.agent.taken.items.length, 0);
  });
});

describe("a first mail", { skip: dovecotMissing }, () => {
  it("begins a thread, whose answers are one conversation that can be spoken to, also after a restart", async () => {
    await using started = await startEmail();
    const { email, bench } = started;
    await bench.send("carl@people.example", "News for you\nand so on");
    const first = lastTaken(email);
    assert.deepEqual(
      [first.to, first.mail.subject, first.mail.references],
      [["carl@people.example"], "News for you", undefined],
    );
    assert.equal(first.mail.headers.has("auto-submitted"), false);
    await email.deliver(answerTo(first, "who is this", false));
    const answer = await bench.ledger.acceptedText("who is this");
    assert.match(answer.conversation, /^[0-9a-f]{24}$/u);
    await bench.answer(answer, "it is us");
    await bench.send(answer.conversation, "one more thing");
    assert.deepEqual(
      [lastTaken(email).to, lastTaken(email).mail.inReplyTo],
      [["ann@people.example"], answer.metadata?.["email_message_id"]],
    );
    await bench.respawn();
    await bench.send(answer.conversation, "and after a restart");
    assert.deepEqual(
      [lastTaken(email).to, lastTaken(email).mail.inReplyTo],
      [["ann@people.example"], answer.metadata?.["email_message_id"]],
    );
    await email.deliver(answerTo(lastTaken(email), "I see", true));
    assert.equal((await bench.ledger.acceptedText("I see")).conversation, answer.conversation);
  });

  it("may also be one more in a thread that was only heard so far", async () => {
    await using started = await startEmail();
    const { email, bench } = started;
    const asked = await bench.hear("a question");
    await bench.send(asked.conversation, "by the way");
    const { mail, to } = lastTaken(email);
    assert.deepEqual([to, mail.inReplyTo], [["ann@people.example"], asked.metadata?.["email_message_id"]]);
  });

  it("may be said there after a restart as well, to whoever wrote last", async () => {
    await using started = await startEmail();
    const { email, bench } = started;
    const asked = await bench.hear("a question");
    const more = await bench.hear("and another one");
    await bench.hear("elsewhere", email.otherConversation);
    await bench.respawn();
    await bench.send(asked.conversation, "by the way");
    const { mail, to } = lastTaken(email);
    assert.deepEqual([to, mail.inReplyTo], [["ann@people.example"], more.metadata?.["email_message_id"]]);
  });

  it("is said after a restart to nobody who may not write to us, whatever he wrote in it last", async () => {
    await using started = await startEmail({ policy: { allowedSenders: ["@people.example"] } });
    const { email, bench } = started;
    const asked = await bench.hear("a question");
    const id = String(asked.metadata?.["email_message_id"]);
    for (const fields of [
      ["From: eve@evil.example"],
      ["From: ann@people.example", "Reply-To: eve@evil.example", "Auto-Submitted: auto-replied"],
    ]) {
      const header = [...fields, `Message-ID: <${fields.length}@x.example>`, `In-Reply-To: ${id}`, `References: ${id}`];
      await email.deliver(mailOf(header, "write to me instead"));
    }
    await bench.hear("and one more", email.otherConversation);
    await bench.respawn();
    await bench.send(asked.conversation, "by the way");
    assert.deepEqual(lastTaken(email).to, ["ann@people.example"]);
    assert.equal(lastTaken(email).mail.inReplyTo, id);
  });

  it("is not said in a thread that nobody knows", async () => {
    await using started = await startEmail();
    const error = await refused(started.bench.send("0123456789abcdef01234567", "hello"));
    assert.deepEqual([error.code, error.retry.kind], ["not_found", "never"]);
  });
});

describe("a mail whose outcome was lost", { skip: dovecotMissing }, () => {
  async function answerAt(
    atEnd: EmailPlatform["agent"]["atEnd"],
    run: (parts: { email: EmailPlatform; asked: EmittedMessage; answer: () => Promise<void> }) => Promise<void>,
  ): Promise<void> {
    await using started = await startEmail();
    const { email, bench } = started;
    const asked = await bench.hear("a question");
    email.agent.atEnd = atEnd;
    await run({ email, asked, answer: () => bench.answer(asked, "an answer", "m1/0") });
  }

  it("may have been sent, where the server had all of it", async () => {
    await answerAt("take_and_cut", async ({ answer }) => {
      const error = await refused(answer());
      assert.equal(error.code, "timeout", "what the outbox calls unknown");
      assert.match(error.message, /may have been sent/u);
    });
    await answerAt("cut", async ({ answer }) => {
      assert.equal((await refused(answer())).code, "timeout");
    });
  });

  it("was sent, where it lies in the sent folder", async () => {
    await using started = await startEmail({ keepsCopies: true });
    const { email, bench } = started;
    const asked = await bench.hear("a question");
    email.agent.atEnd = "take_and_cut";
    await bench.answer(asked, "an answer", "m1/0");
    assert.equal(email.agent.taken.items.length, 1);
  });

  it("was not sent, where the connection ended before its end", async () => {
    await using started = await startEmail();
    const { email, bench } = started;
    const asked = await bench.hear("a question");
    email.setFault("send", { kind: "drop", times: 1 });
    const error = await refused(bench.answer(asked, "an answer", "m1/0"));
    assert.equal(error.code, "platform_unavailable");
    await bench.answer(asked, "an answer", "m1/0");
    assert.equal(email.agent.taken.items.length, 1);
  });

  it("is not waited for without end", async () => {
    await using clock = new FakeClock();
    await using started = await startEmail();
    const { email, bench } = started;
    const asked = await bench.hear("a question");
    email.agent.atEnd = "hang";
    const outcome = await clock.outcomeOf(bench.answer(asked, "an answer"), 30, "the end of a send");
    assert.equal(outcome.kind, "rejected");
    if (outcome.kind === "rejected") assert.equal(GatewayError.from(outcome.reason).code, "timeout");
  });

  for (const [refuse, text, code] of [
    [452, "4.3.1 Insufficient system storage", "platform_unavailable"],
    [552, "5.2.2 Mailbox over quota", "message_rejected"],
    [552, "5.3.4 Message too big", "too_large"],
  ] as const)
    it(`was not sent where the server says ${refuse} ${text}`, async () => {
      await answerAt({ refuse, text }, async ({ answer }) => {
        assert.equal((await refused(answer())).code, code);
      });
    });
});

describe("the connection for sending", { skip: dovecotMissing }, () => {
  it("is one for many mails, in order, and closed when nobody writes", async () => {
    await using clock = new FakeClock();
    await using started = await startEmail();
    const { email, bench } = started;
    const asked = await bench.hear("a question");
    const before = email.agent.logins.items.length;
    await Promise.all(Array.from({ length: 8 }, (_, index) => bench.answer(asked, `answer ${index}`)));
    assert.deepEqual(
      email.agent.taken.items.map(({ mail }) => mail.text?.trim()),
      Array.from({ length: 8 }, (_, index) => `answer ${index}`),
    );
    assert.equal(email.agent.logins.items.length, before + 1);
    assert.equal(email.agent.openSockets, 1);
    assert.ok(await clock.advanceUntil(() => email.agent.openSockets === 0, 60), "it is kept open");
    await bench.answer(asked, "later");
    assert.equal(email.agent.logins.items.length, before + 2);
  });

  it("is another one where the server has closed it meanwhile", async () => {
    await using started = await startEmail();
    const { email, bench } = started;
    const asked = await bench.hear("a question");
    await bench.answer(asked, "one");
    email.agent.dropConnections();
    await bench.answer(asked, "two");
    // Or closes it just then.
    email.setFault("send", { kind: "drop", times: 1 });
    await bench.answer(asked, "three");
    assert.deepEqual(
      email.agent.taken.items.map(({ mail }) => mail.text?.trim()),
      ["one", "two", "three"],
    );
  });

  it("that cannot be opened keeps nobody from hearing", async () => {
    await using started = await startEmail({ settings: { smtpPort: 1 } });
    const { bench } = started;
    await bench.ledger.log.first(({ event }) => event === "email-smtp-unreachable", "a warning");
    const asked = await bench.hear("a question");
    assert.equal((await refused(bench.answer(asked, "an answer"))).code, "platform_unavailable");
  });

  it("with wrong credentials ends the start, with what a person must do", async () => {
    await assert.rejects(startEmail({ settings: { smtpPassword: "wrong" } }), (reason: GatewayError) => {
      assert.deepEqual([reason.code, reason.retry.kind], ["unauthorized", "never"]);
      assert.match(reason.userAction ?? "", /smtp_password/u);
      return true;
    });
  });
});

describe("history", { skip: dovecotMissing }, () => {
  it("is what was said in the thread before, by them and by us, oldest first, and marks nothing as read", async () => {
    const policy = { allowedSenders: ["@people.example"] };
    await using started = await startEmail({ settings: { markSeen: false }, policy });
    const { email, bench } = started;
    const first = await bench.hear("first");
    await bench.hear("elsewhere", email.otherConversation);
    // Another thread in which somebody mentions this one.
    const mention = `References: <another@people.example> ${String(first.metadata?.["email_message_id"])}`;
    await email.deliver(mailOf(plainHeader("mentions", mention), "mentions it"));
    await bench.ledger.acceptedText("mentions it");
    const second = await bench.hear("second");
    await bench.answer(second, "our answer");
    const ours = lastTaken(email);
    await email.maildrop.asOwner(async (client) => {
      await client.mailboxCreate("Sent");
      await client.append("Sent", ours.raw, ["\\Seen"]);
    });
    for (const fields of [["From: eve@evil.example"], ["From: ann@people.example", "Auto-Submitted: auto-replied"]]) {
      const id = `Message-ID: <${fields.length}@x.example>`;
      await email.deliver(mailOf([...fields, id, `References: ${ours.mail.messageId ?? ""}`], "nobody's message"));
    }
    await email.deliver(answerTo(ours, "third", true));
    const third = await bench.ledger.acceptedText("third");
    const { conversation, replyTo = null, id } = third;
    const ask = { conversation, replyTo, limit: 10, before: id } as const;
    const past = await within(bench.running.history?.(ask) ?? Promise.resolve([]), "history");
    assert.deepEqual(
      past.map(({ author, text, isBot }) => [author, text, isBot]),
      [
        ["Ann", "first", false],
        ["Ann", "second", false],
        ["Bot", "our answer", true],
      ],
    );
    assert.deepEqual(await bench.running.history?.({ ...ask, limit: 1 }), past.slice(-1));
    assert.deepEqual(await bench.running.history?.({ ...ask, conversation: "ann@people.example" }), []);
    const seen = await email.maildrop.asOwner((client) => client.search({ seen: true }, { uid: true }));
    assert.deepEqual(seen, []);
  });
});
