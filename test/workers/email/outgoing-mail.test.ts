import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { simpleParser } from "mailparser";
import { GatewayError } from "../../../src/contract/errors.ts";
import { parseResponse, type Response } from "../../../src/contract/response.ts";
import { composeMail } from "../../../workers/email/compose-mail.ts";
import { type Destination, outgoingMail, type OutgoingMail } from "../../../workers/email/outgoing-mail.ts";
import { routeFrom } from "../../../workers/email/reply-route.ts";

const from = { name: "Bot", address: "bot@mail.example" };
const messageId = "<bulkhead.0123456789abcdef01234567.0123456789abcdef012345@mail.example>";
const date = new Date(Date.UTC(2026, 0, 2));
const thread: Destination = {
  kind: "thread",
  route: { to: "ann@people.example", subject: "Lunch", messageId: "<2@x>", references: ["<1@x>"] },
};
const address: Destination = { kind: "address", address: "ann@people.example" };

function written(response: Response, destination: Destination, maxAttachmentBytes = 1_000): OutgoingMail {
  return outgoingMail(response, destination, { messageId, maxAttachmentBytes });
}

const file = (filename: string, bytes = 10): Response =>
  parseResponse({
    kind: "file",
    filename,
    mimeType: "text/plain",
    data: Buffer.alloc(bytes, 65).toString("base64"),
    caption: "look",
  });

describe("outgoingMail()", () => {
  it("hangs an answer on what it answers", () => {
    const mail = written({ kind: "text", text: "yes" }, thread);
    assert.deepEqual(
      [mail.to, mail.subject, mail.inReplyTo, mail.references, mail.isAnswer],
      ["ann@people.example", "Re: Lunch", "<2@x>", ["<1@x>", "<2@x>"], true],
    );
  });

  it("begins a thread with its first line as the subject", () => {
    const mail = written({ kind: "text", text: "\nThe numbers are in\nand so on" }, address);
    assert.deepEqual(
      [mail.subject, mail.inReplyTo, mail.references, mail.isAnswer],
      ["The numbers are in", null, [], false],
    );
    assert.equal(written(file("plan.txt"), address).subject, "plan.txt");
    assert.ok(written({ kind: "text", text: "word ".repeat(100) }, address).subject.length <= 78);
  });

  it("gives a thread's reply its name as the subject", () => {
    assert.equal(written({ kind: "thread_reply", threadName: "side talk", text: "psst" }, thread).subject, "side talk");
  });

  it("attaches files, up to the size that is allowed", () => {
    const mail = written(file("plan.txt"), thread);
    assert.deepEqual(
      mail.files.map(({ filename, mimeType, bytes }) => [filename, mimeType, bytes.length]),
      [["plan.txt", "text/plain", 10]],
    );
    assert.equal(mail.text, "look");
    assert.throws(
      () => written(file("plan.txt", 1_001), thread),
      (reason: GatewayError) => reason.code === "too_large" && reason.message.includes("1001"),
    );
  });

  it("refuses what no mail says, and to whom none can be sent", () => {
    const code = (run: () => unknown): string => {
      try {
        run();
      } catch (reason) {
        return GatewayError.from(reason).code;
      }
      return "none";
    };
    assert.equal(
      code(() => written({ kind: "reaction", emoji: "👍" }, thread)),
      "unsupported_response",
    );
    assert.equal(
      code(() => written({ kind: "text", text: " " }, thread)),
      "message_rejected",
    );
    assert.equal(
      code(() => written({ kind: "text", text: "x" }, { kind: "address", address: "a@b.c, d@e.f" })),
      "not_found",
    );
  });
});

describe("composeMail()", () => {
  it("writes every header once, and the chain of references whole", async () => {
    const raw = (await composeMail(written({ kind: "text", text: "yes" }, thread), { from, date })).toString();
    for (const name of ["From", "To", "Subject", "Message-ID", "In-Reply-To", "References", "Date", "Auto-Submitted"])
      assert.equal(raw.match(new RegExp(`^${name}:`, "gmu"))?.length, 1, name);
    const mail = await simpleParser(raw);
    assert.deepEqual(mail.references, ["<1@x>", "<2@x>"]);
    assert.equal(mail.messageId, messageId);
    assert.equal(mail.headers.get("auto-submitted"), "auto-replied");
    assert.equal(mail.from?.text, '"Bot" <bot@mail.example>');
  });

  it("does not call what a person ordered an automatic answer", async () => {
    const raw = (await composeMail(written({ kind: "text", text: "news" }, address), { from, date })).toString();
    assert.doesNotMatch(raw, /^Auto-Submitted:/mu);
  });

  it("puts HTML beside the text of a rich message", async () => {
    const response = parseResponse({
      kind: "rich_message",
      text: "five < six",
      cards: [{ title: "Numbers", fields: [] }],
    });
    const mail = await simpleParser(await composeMail(written(response, thread), { from, date }));
    assert.match(mail.text ?? "", /five < six\n\nNumbers/u);
    assert.match(String(mail.html), /<p>five &lt; six<\/p>.*<h3>Numbers<\/h3>/su);
  });

  it("has the headers that it should and no other, whatever its parts hold", async () => {
    const hostile = fc.oneof(
      fc.string({ unit: "binary", maxLength: 60 }),
      fc.constantFrom(
        "x\r\nBcc: victim@x.example",
        "x\nBcc: victim@x.example\n\nbody",
        "x\r\n\r\nbody",
        "=?utf-8?Q?x=0D=0ABcc:_victim@x.example?=",
        "a@b.c, victim@x.example",
        "a@b.c; victim@x.example",
        '"a" <victim@x.example>',
        "x\u2028Bcc: victim@x.example",
        "x\u0000y",
        "😀 żółć",
        ".",
        "",
      ),
    );
    const allowed = new Set(
      "from to subject message-id in-reply-to references date mime-version content-type content-transfer-encoding auto-submitted x-auto-response-suppress content-disposition".split(
        " ",
      ),
    );
    const parts = fc.record({
      to: hostile,
      subject: hostile,
      reference: hostile,
      thread: hostile,
      filename: hostile,
      text: hostile,
      mime: hostile,
      name: hostile,
    });
    await fc.assert(
      fc.asyncProperty(parts, fc.constantFrom("text", "thread_reply", "file"), async (part, kind) => {
        const route = routeFrom({
          to: part.to,
          subject: part.subject,
          message_id: part.reference,
          reference_0: part.reference,
        });
        const destination: Destination =
          route === null ? { kind: "address", address: part.to } : { kind: "thread", route };
        const response = {
          text: { kind: "text", text: part.text },
          thread_reply: { kind: "thread_reply", threadName: part.thread.slice(0, 200), text: part.text },
          file: { kind: "file", filename: part.filename, mimeType: part.mime, data: "QUJD" },
        }[kind] as Response;
        let mail: OutgoingMail;
        try {
          mail = written(response, destination);
        } catch (reason) {
          // Nothing is better than a mail to somebody else.
          assert.ok(reason instanceof GatewayError);
          return;
        }
        const parsed = await simpleParser(await composeMail(mail, { from: { ...from, name: part.name }, date }));
        assert.deepEqual(
          parsed.headerLines.map(({ key }) => key).filter((key) => !allowed.has(key)),
          [],
        );
        const to = [parsed.to ?? []].flat().flatMap(({ value }) => value);
        assert.deepEqual(
          to.map((each) => each.address?.toLowerCase()),
          [mail.to.toLowerCase()],
        );
        assert.equal(parsed.from?.value.length, 1);
        assert.equal(parsed.headers.has("bcc"), false);
      }),
      { numRuns: 300 },
    );
  });
});
