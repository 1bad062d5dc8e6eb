import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { encodeMessage } from "../../../workers/encode-message.ts";
import { fileRef, parseFileRef } from "../../../workers/email/file-ref.ts";
import type { Mail } from "../../../workers/email/mail.ts";
import {
  mailIdOf,
  translateMail,
  translateUnknown,
  translateUnreadable,
  type Translation,
} from "../../../workers/email/translate-mail.ts";
import { hash } from "node:crypto";
import { aMail } from "./a-mail.ts";

const place = { folder: "INBOX", uidValidity: "7", uid: 12 } as const;
const translation: Translation = {
  place,
  receivedAtMs: Date.UTC(2026, 0, 2, 3, 5, 0),
  fromAddress: "bot@mail.example",
  allowedSenders: [],
  maxBodyBytes: 1_000,
  maxAttachmentBytes: 5_000,
};
const file = { filename: "a.pdf", mimeType: "application/pdf", sizeBytes: 300, part: "2" };

function translated(mail: Partial<Mail> = {}, over: Partial<Translation> = {}): ReturnType<typeof translateMail> {
  return translateMail(aMail(mail), { ...translation, ...over });
}

describe("translateMail()", () => {
  it("says who wrote what, when, and where it belongs", () => {
    const message = translated({ subject: "Lunch" });
    assert.equal(message.text, "hello");
    assert.equal(message.kind, "text");
    assert.deepEqual(message.sender, { id: "ann@people.example", name: "Ann" });
    assert.equal(message.timestamp, "2026-01-02T03:04:05.000Z");
    assert.match(message.conversation, /^[0-9a-f]{24}$/u);
    assert.deepEqual(message.routing, { isDirect: true });
    assert.deepEqual(message.replyTo, {
      to: "ann@people.example",
      subject: "Lunch",
      message_id: "<first@people.example>",
    });
    assert.deepEqual(message.metadata, {
      email_from: "ann@people.example",
      email_reply_to: "ann@people.example",
      email_to: "bot@mail.example",
      email_subject: "Lunch",
      email_message_id: "<first@people.example>",
      email_in_reply_to: null,
      email_references: [],
      email_folder: "INBOX",
      email_uid: 12,
      email_thread_key: message.conversation,
      channel_name: "Email: Lunch",
      sender_display_name: "Ann",
    });
  });

  it("refers to files, and says which are too large to be read", () => {
    const message = translated({
      files: [file, { ...file, filename: "b.iso", sizeBytes: 9_999, part: "3" }],
      filesLeftOut: 4,
    });
    assert.equal(message.kind, "media");
    assert.deepEqual(
      message.attachments?.map(({ filename, ref }) => [filename, parseFileRef(ref ?? "")]),
      [
        ["a.pdf", { ...place, part: "2" }],
        ["b.iso", { ...place, part: "3" }],
      ],
    );
    assert.match(message.text, /^hello\n\n\[b\.iso has 9999 bytes.*5000.*\]\n\n\[4 more files are left out\]$/u);
  });

  it("says that a text is cut, or that there is none", () => {
    assert.match(translated({ isTextCut: true }).text, /^hello\n\n\[.*more than 1000 bytes.*\]$/u);
    assert.equal(translated({ text: "" }).text, "(No message body)");
    assert.equal(translated({ text: "", files: [file] }).text, "");
  });

  it("takes the time of arrival where the sender's clock is none", () => {
    const arrival = "2026-01-02T03:05:00.000Z";
    assert.equal(translated({ dateMs: null }).timestamp, arrival);
    assert.equal(translated({ dateMs: Date.UTC(2030, 0, 1) }).timestamp, arrival);
    assert.equal(translated({ dateMs: null }, { receivedAtMs: null }).timestamp, undefined);
  });

  it("gives what the gateway takes, however large the header", () => {
    const long = "x".repeat(998);
    const references = Array.from({ length: 100 }, (_, index) => `<${"r".repeat(900)}${index}@x>`);
    const message = translated({
      subject: long,
      to: long,
      messageId: `<${long}>`,
      references,
      from: { name: long, address: "a@b.c" },
    });
    assert.doesNotThrow(() => encodeMessage(message, { key: "email", platform: "email" }, hash));
  });
});

describe("mailIdOf()", () => {
  it("tells mails of one Message-ID apart, and fits", () => {
    assert.notEqual(mailIdOf(aMail({ digest: "one" })), mailIdOf(aMail({ digest: "two" })));
    assert.notEqual(mailIdOf(aMail({ messageId: null })), mailIdOf(aMail()));
    assert.ok(mailIdOf(aMail({ messageId: `<${"x".repeat(990)}>` })).length <= 512);
  });
});

describe("mails that cannot be read", () => {
  it("become messages that say so, which can be answered where somebody is known", () => {
    const message = translateUnreadable(aMail(), "it took too long", translation);
    assert.equal(message.text, "[This mail cannot be read: it took too long]");
    assert.equal(message.replyTo?.["to"], "ann@people.example");
    assert.equal(message.id, mailIdOf(aMail()));
    const unknown = translateUnknown(place, "the server does not give it");
    assert.equal(unknown.text, "[This mail cannot be read: the server does not give it]");
    assert.equal(unknown.replyTo, undefined);
    assert.notEqual(unknown.id, translateUnknown({ ...place, uid: 13 }, "x").id);
    for (const each of [message, unknown])
      assert.doesNotThrow(() => encodeMessage(each, { key: "email", platform: "email" }, hash));
  });
});

describe("fileRef()", () => {
  it("comes back as it was, and fits", () => {
    const where = { folder: 'Ordner/żółć "x"', uidValidity: "1700000000", uid: 7, part: "1.2.3" };
    assert.deepEqual(parseFileRef(fileRef(where) ?? ""), where);
    assert.equal(fileRef({ ...where, folder: "f".repeat(2_000) }), null);
  });

  for (const ref of [
    "",
    "x",
    "{}",
    "[]",
    '["a","1",0,"1"]',
    '["a","1",1.5,"1"]',
    '["a",1,1,"1"]',
    '["a","1",1,"1; x"]',
    '["a","1",1,"TEXT"]',
    '["a","1",1,"1","x"]',
  ])
    it(`takes ${ref} for none`, () => assert.equal(parseFileRef(ref), null));
});
