import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { GatewayError } from "../../../src/contract/errors.ts";
import type { EmittedMessage } from "../../../src/contract/message.ts";
import type { AdapterBench } from "../../conformance/adapter-bench.ts";
import { within } from "../../conformance/within.ts";
import { dovecotMissing } from "../../emulators/email/dovecot.ts";
import { hostileMails } from "./hostile-mails.ts";
import { mailOf, plainHeader, startEmail } from "./email-bench.ts";

const mebibyte = 1_048_576;

/** Parts of a mail, each with its header. */
function multipart(id: string, parts: readonly string[]): Buffer {
  const header = plainHeader(id, "MIME-Version: 1.0", "Content-Type: multipart/mixed; boundary=b");
  return mailOf(header, `${parts.map((part) => `--b\r\n${part}\r\n`).join("")}--b--`);
}

const textPart =
  "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nthe text =C5=BC";

function filePart(name: string, bytes: Buffer): string {
  const lines = bytes.toString("base64").replaceAll(/.{76}/gu, "$&\r\n");
  return `Content-Type: application/octet-stream; name="${name}"\r\nContent-Transfer-Encoding: base64\r\n\r\n${lines}`;
}

function bytesOf(size: number): Buffer {
  return Buffer.from(Array.from({ length: size }, (_, index) => (index * 7) % 251));
}

async function fetchFile(bench: AdapterBench, heard: EmittedMessage, index: number): Promise<Buffer> {
  const folder = mkdtempSync(join(tmpdir(), "bulkhead-mail-"));
  try {
    const path = join(folder, "file");
    const ref = heard.attachments?.[index]?.ref ?? "";
    const request = { ref, path, maxBytes: 10 * mebibyte, signal: AbortSignal.timeout(30_000) };
    await within(bench.running.attachment?.(request) ?? Promise.reject(new Error("It fetches none")), "a file");
    return readFileSync(path);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe("a large mail", { skip: dovecotMissing }, () => {
  it("is read by its outline: its text and the names of its files, which are fetched when somebody asks", async () => {
    await using started = await startEmail();
    const { email, bench } = started;
    const [first, second] = [bytesOf(2 * mebibyte), bytesOf(70_001)];
    await email.deliver(multipart("large", [textPart, filePart("first.bin", first), filePart("second.bin", second)]));
    const heard = await bench.ledger.acceptedText("the text ż");
    assert.deepEqual(
      heard.attachments?.map(({ filename }) => filename),
      ["first.bin", "second.bin"],
    );
    for (const [index, bytes] of [first, second].entries()) {
      // Servers tell the size of what is written, and lines have ends.
      const told: number = heard.attachments?.[index]?.sizeBytes ?? 0;
      assert.ok(Math.abs(told - bytes.length) <= bytes.length * 0.02, `${told} for ${bytes.length}`);
    }
    const wholes = email.imap.commands.items.filter((command) => command.includes("BODY.PEEK[]"));
    assert.deepEqual(wholes, []);
    assert.ok((await fetchFile(bench, heard, 0)).equals(first));
    assert.ok((await fetchFile(bench, heard, 1)).equals(second));
  });

  it("has its text cut where it is the text that is large", async () => {
    await using started = await startEmail({ policy: { maxBodyBytes: 10_000 } });
    const { email, bench } = started;
    await email.deliver(mailOf(plainHeader("long"), "word \r\n".repeat(300_000)));
    await bench.ledger.accepted.count(1, "a long mail");
    const text = bench.ledger.texts()[0] ?? "";
    assert.match(text, /^word \nword \n/u);
    assert.match(text, /\[The rest is left out: this mail has more than 10000 bytes of text\]$/u);
    assert.ok(text.length < 10_200);
  });

  it("numbers its parts as a small one does", async () => {
    await using started = await startEmail();
    const { email, bench } = started;
    const related = `Content-Type: multipart/related; boundary=r\r\n\r\n--r\r\nContent-Type: text/html\r\n\r\n<p>words</p>\r\n--r\r\n${filePart("in.png", bytesOf(50))}\r\n--r--`;
    const inner = "Content-Type: message/rfc822\r\n\r\nFrom: x@y.z\r\nSubject: inner\r\n\r\ninner text";
    const parts = [related, inner, filePart("out.bin", bytesOf(90))];
    await email.deliver(multipart("small", parts));
    await email.deliver(multipart("huge", [...parts, filePart("padding.bin", bytesOf(mebibyte))]));
    await bench.ledger.accepted.count(2, "both mails");
    const [small, huge] = bench.ledger.accepted.items.map(({ message }) =>
      message.attachments?.map(({ filename, ref }) => `${filename} ${JSON.parse(ref ?? "[]")[3]}`),
    );
    assert.deepEqual(small, ["in.png 1.2", "file 2", "out.bin 3"]);
    assert.deepEqual(huge, [...(small ?? []), "padding.bin 4"]);
    assert.deepEqual(bench.ledger.texts(), ["words", "words"]);
    const [heard] = bench.ledger.accepted.items;
    assert.ok(heard !== undefined);
    assert.match((await fetchFile(bench, heard.message, 1)).toString(), /^From: x@y\.z\r\n.*inner text/su);
  });
});

describe("a file", { skip: dovecotMissing }, () => {
  it("that is gone, or in a folder that is none of ours, is not found", async () => {
    await using started = await startEmail();
    const { email, bench } = started;
    await email.deliver(multipart("file", [textPart, filePart("a.bin", bytesOf(10))]));
    const heard = await bench.ledger.acceptedText("the text ż");
    const [folder, uidValidity, uid, part] = JSON.parse(heard.attachments?.[0]?.ref ?? "[]") as [
      string,
      string,
      number,
      string,
    ];
    const wrong = [
      [folder, uidValidity, uid, "9"],
      [folder, uidValidity, uid + 5, part],
      [folder, "1", uid, part],
      ["Sent", uidValidity, uid, part],
    ];
    for (const ref of wrong) {
      const request = {
        ref: JSON.stringify(ref),
        path: "/nowhere/file",
        maxBytes: 100,
        signal: AbortSignal.timeout(30_000),
      };
      await assert.rejects(bench.running.attachment?.(request) ?? Promise.resolve(), (reason: unknown) => {
        assert.equal(GatewayError.from(reason).code, "not_found", JSON.stringify(ref));
        return true;
      });
    }
    await email.maildrop.asOwner((client) => client.messageDelete("1:*", { uid: true }));
    await assert.rejects(
      fetchFile(bench, heard, 0),
      (reason: unknown) => GatewayError.from(reason).code === "not_found",
    );
  });

  it("is never marked as read by being fetched", async () => {
    await using started = await startEmail({ settings: { markSeen: false } });
    const { email, bench } = started;
    await email.deliver(multipart("file", [textPart, filePart("a.bin", bytesOf(10))]));
    const heard = await bench.ledger.acceptedText("the text ż");
    await fetchFile(bench, heard, 0);
    const seen = await email.maildrop.asOwner((client) => client.search({ seen: true }, { uid: true }));
    assert.deepEqual(seen, []);
  });
});

describe("a mail that cannot be read", { skip: dovecotMissing }, () => {
  it("that ends every connection is passed over after three times, and said to be there", async () => {
    await using started = await startEmail({
      before: async (email) => {
        for (const id of ["one", "two", "three"]) await email.deliver(mailOf(plainHeader(id), id));
        // Whoever asks for the second one is cut off.
        email.imap.onCommand = (command) =>
          /^UID FETCH (?:1:3|1,2,3|2:3|2) .*BODY/u.test(command) ? { kind: "drop", times: 1 } : null;
      },
    });
    const { bench } = started;
    await bench.ledger.acceptedText("three");
    const [first, second, third] = bench.ledger.accepted.items.map(({ message }) => message);
    assert.deepEqual([first?.text, third?.text], ["one", "three"]);
    assert.match(second?.text ?? "", /^\[This mail cannot be read: it could not be read 3 times/u);
    assert.equal(bench.ledger.missedMessages, 1);
    const logged = bench.ledger.log.items.filter(({ event }) => event === "email-mail-unreadable");
    assert.deepEqual(
      logged.map(({ fields }) => [fields["folder"], fields["uid"]]),
      [["INBOX", 2]],
    );
  });

  it("that the server refuses even to list is passed over after three times, and keeps none behind it from coming", async () => {
    await using started = await startEmail({
      before: async (email) => {
        for (const id of ["one", "two", "three"]) await email.deliver(mailOf(plainHeader(id), id));
        // Whoever asks for the second one is refused.
        email.imap.rewriteCommand = (line) =>
          line.replace(/^(\S+ UID FETCH) (?:1:3|1,2,3|2:3|2) .*SIZE.*/u, "$1 2 (NONSENSE)");
      },
    });
    const { bench, email } = started;
    await bench.ledger.acceptedText("three");
    const texts = bench.ledger.accepted.items.map(({ message }) => message.text);
    assert.deepEqual([texts.length, texts[0], texts[2]], [3, "one", "three"]);
    assert.match(texts[1] ?? "", /^\[This mail cannot be read: it could not be read 3 times/u);
    assert.equal(bench.ledger.missedMessages, 1);
    assert.equal(email.connections.total, 1);
  });

  it("that the server refuses to give is said to be there, by who wrote it", async () => {
    await using started = await startEmail({
      before: async (email) => {
        for (const id of ["one", "two", "three"]) await email.deliver(mailOf(plainHeader(id), id));
        const isOfTwo = (command: string): boolean => /^UID FETCH (?:1:3|1,2,3|2) /u.test(command);
        email.imap.onCommand = (command) =>
          isOfTwo(command) && /BODY\.PEEK\[\]|BODYSTRUCTURE/u.test(command)
            ? { kind: "server_error", status: 500, times: 1 }
            : null;
      },
    });
    const { bench } = started;
    await bench.ledger.acceptedText("three");
    const second = bench.ledger.accepted.items[1]?.message;
    assert.match(second?.text ?? "", /^\[This mail cannot be read: /u);
    assert.equal(second?.sender.id, "ann@people.example");
    assert.equal(second?.metadata?.["email_subject"], "two");
    assert.deepEqual(bench.ledger.texts("[").length, 1);
  });

  it("is hardly ever one that is only made to be: each is heard, and so is the next one", async () => {
    await using started = await startEmail({ policy: { maxBodyBytes: 262_144 } });
    const { email, bench } = started;
    const hostile = Object.entries(hostileMails());
    for (const [index, [, source]] of hostile.entries())
      await email.deliver(Buffer.from(source.replace("<hostile@", `<hostile-${index}@`), "latin1"));
    await email.deliver(mailOf(plainHeader("after"), "after them"));
    for (const [index, [name]] of hostile.entries()) await bench.ledger.accepted.count(index + 1, name);
    await bench.ledger.acceptedText("after them");
    const unreadable = bench.ledger.log.items
      .filter(({ event }) => event === "email-mail-unreadable")
      .map(({ fields }) => hostile[Number(fields["uid"]) - 1]?.[0]);
    assert.deepEqual(unreadable, ["parts within parts", "a header of many lines"]);
    const senders = bench.ledger.accepted.items.map(({ message }) => message.sender.id);
    assert.deepEqual([...new Set(senders)], ["mallory@people.example", "ann@people.example"]);
    assert.equal(bench.ledger.texts("[This mail cannot be read").length, 2);
    assert.equal(bench.generation, 1);
  });
});
