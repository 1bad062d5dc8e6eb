import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { Mail } from "../../../workers/email/mail.ts";
import { answerSubject, conversationOf, isThreadKey, keyOf, ownMessageId } from "../../../workers/email/thread.ts";
import { aMail } from "./a-mail.ts";

const fromAddress = "bot@Mail.Example";
const conversation = (mail: Partial<Mail>): string => conversationOf(aMail(mail), fromAddress);
const root = "<root@people.example>";

describe("conversationOf()", () => {
  it("is the same for a whole thread of other people's", () => {
    const thread = [
      conversation({ messageId: root }),
      conversation({ messageId: "<2@x>", references: [root] }),
      conversation({ messageId: "<3@x>", references: [root, "<2@x>"], inReplyTo: "<2@x>" }),
      // Programs that say nothing but what they answer.
      conversation({ messageId: "<4@x>", inReplyTo: root }),
    ];
    assert.equal(new Set(thread).size, 1);
    assert.equal(thread[0], keyOf(root));
    assert.ok(isThreadKey(thread[0] ?? ""));
  });

  it("is another one for another thread", () => {
    assert.notEqual(conversation({ messageId: root }), conversation({ messageId: "<other@people.example>" }));
  });

  it("stays the same when somebody answers us and names nothing but our answer", () => {
    const key = conversation({ messageId: root });
    const ours = ownMessageId({ conversation: key, idempotencyKey: "m1/0", fromAddress });
    assert.equal(conversation({ messageId: "<5@x>", inReplyTo: ours }), key);
    assert.equal(conversation({ messageId: "<6@x>", references: ["<somewhere@else>", ours] }), key);
    // Some servers write it in other letters.
    assert.equal(conversation({ messageId: "<7@x>", inReplyTo: ours.toUpperCase() }), key);
  });

  it("is one for what we began and all answers to it", () => {
    const ours = ownMessageId({ conversation: "ann@people.example", idempotencyKey: "s1", fromAddress });
    const answers = [
      conversation({ messageId: "<1@x>", inReplyTo: ours }),
      conversation({ messageId: "<2@x>", references: [ours, "<1@x>"] }),
    ];
    assert.equal(new Set(answers).size, 1);
    const ourNext = ownMessageId({ conversation: answers[0] ?? "", idempotencyKey: "m2/0", fromAddress });
    assert.equal(conversation({ messageId: "<3@x>", inReplyTo: ourNext }), answers[0]);
  });

  it("believes a key of ours in a Message-ID of our own domain alone", () => {
    const ours = ownMessageId({ conversation: keyOf(root), idempotencyKey: "m1/0", fromAddress });
    const foreign = ours.replace("@mail.example>", "@evil.example>");
    assert.notEqual(conversation({ messageId: "<1@x>", inReplyTo: foreign }), keyOf(root));
    for (const id of [
      "<bulkhead.@mail.example>",
      "<bulkhead.123@mail.example>",
      `<bulkhead.${"z".repeat(24)}.x@mail.example>`,
    ])
      assert.equal(conversation({ messageId: "<1@x>", inReplyTo: id }), keyOf(id));
  });

  it("goes by subject and sender where a mail has no id at all", () => {
    const of = (fields: Partial<Mail>): string => conversation({ messageId: null, ...fields });
    assert.equal(of({ subject: "Re: Lunch" }), of({ subject: "lunch" }));
    assert.notEqual(of({ subject: "Lunch" }), of({ subject: "Dinner" }));
    assert.notEqual(of({ subject: "Lunch" }), of({ subject: "Lunch", from: { name: "", address: "bob@x.y" } }));
  });
});

describe("ownMessageId()", () => {
  it("is the same for the same send, and another one for any other", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.boolean(), (one, other, isThread) => {
        const place = isThread ? keyOf(root) : "ann@people.example";
        const id = (idempotencyKey: string): string =>
          ownMessageId({ conversation: place, idempotencyKey, fromAddress });
        assert.equal(id(one), id(one));
        if (one !== other) assert.notEqual(id(one), id(other));
        assert.match(id(one), /^<bulkhead\.[0-9a-f]{24}\.[0-9a-f]{22}@mail\.example>$/u);
      }),
    );
  });
});

describe("answerSubject()", () => {
  const rows: readonly (readonly [string, string])[] = [
    ["Lunch", "Re: Lunch"],
    ["Re: Lunch", "Re: Lunch"],
    ["RE: Lunch", "RE: Lunch"],
    ["AW: Lunch", "AW: Lunch"],
    ["  Re: Lunch ", "Re: Lunch"],
    ["", "Re:"],
    ["Report: numbers", "Re: Report: numbers"],
    ["12:30", "Re: 12:30"],
  ];
  for (const [subject, expected] of rows)
    it(`makes ${JSON.stringify(expected)} of ${JSON.stringify(subject)}`, () => {
      assert.equal(answerSubject(subject), expected);
    });

  it("never says it twice", () => {
    fc.assert(
      fc.property(fc.string(), (subject) =>
        assert.equal(answerSubject(answerSubject(subject)), answerSubject(subject)),
      ),
    );
  });
});
