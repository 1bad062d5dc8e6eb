import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { Mail } from "../../../workers/email/mail.ts";
import { readMail } from "../../../workers/email/read-mail.ts";

const header = "From: Ann <ann@people.example>\r\nMessage-ID: <1@people.example>\r\nMIME-Version: 1.0\r\n";

function read(source: string | Buffer, maxTextBytes = 100_000): Promise<Mail> {
  return readMail({ mail: { kind: "whole", source: Buffer.from(source as string, "latin1") }, maxTextBytes });
}

/** A mail of these parts. */
function multipart(type: string, ...parts: readonly string[]): string {
  return `Content-Type: multipart/${type}; boundary=${type}\r\n\r\n${parts.map((part) => `--${type}\r\n${part}\r\n`).join("")}--${type}--\r\n`;
}

const plain = "Content-Type: text/plain\r\n\r\nplain text";
const html = "Content-Type: text/html\r\n\r\n<p>HTML <b>text</b></p>";
const pdf = "Content-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA";

describe("readMail(): text", () => {
  const rows: readonly (readonly [string, string, string])[] = [
    ["a plain one", `${header}\r\nhello\r\nthere\r\n\r\n`, "hello\nthere"],
    ["the plain one of two", header + multipart("alternative", plain, html), "plain text"],
    ["the words of HTML alone", header + html, "HTML text"],
    ["the words of HTML beside a file", header + multipart("mixed", html, pdf), "HTML text"],
    [
      "the words of HTML in an alternative of one",
      header + multipart("mixed", multipart("alternative", html), pdf),
      "HTML text",
    ],
    [
      "the words of HTML beside an empty text",
      header + multipart("alternative", "Content-Type: text/plain\r\n\r\n \r\n", html),
      "HTML text",
    ],
    ["several plain ones", header + multipart("mixed", plain, plain), "plain text\nplain text"],
    ["none", header + pdf, ""],
    ["nothing at all", "", ""],
    [
      "quoted-printable",
      `${header}Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\ncaf=E9 =\r\nau lait`,
      "café au lait",
    ],
    ["a Japanese one", `${header}Content-Type: text/plain; charset=iso-2022-jp\r\n\r\n\x1b$B$3$s\x1b(B`, "こん"],
    ["an unknown charset", `${header}Content-Type: text/plain; charset=x-nonsense\r\n\r\nabc`, "abc"],
    ["flowed lines", `${header}Content-Type: text/plain; format=flowed\r\n\r\none \r\ntwo\r\n`, "one two"],
  ];
  for (const [what, source, text] of rows) it(`is ${what}`, async () => assert.equal((await read(source)).text, text));

  it("has no scripts, styles or titles in it, and shows where links lead", async () => {
    const page =
      "<html><head><title>title</title><style>p{}</style></head><body><script>alert(1)</script><p>one</p>" +
      '<p>two<br>three <a href="https://x.example/y">here</a></p><img src="cid:1" alt="picture"><svg><text>svg</text></svg></body></html>';
    const { text } = await read(`${header}Content-Type: text/html\r\n\r\n${page}`);
    assert.equal(text, "one\n\ntwo\nthree here (https://x.example/y)");
  });

  it("is cut where it is too long, never within a character", async () => {
    const source = (text: string): Buffer =>
      Buffer.concat([Buffer.from(`${header}Content-Type: text/plain; charset=utf-8\r\n\r\n`), Buffer.from(text)]);
    const readCut = (text: string, maxTextBytes: number): Promise<Mail> =>
      readMail({ mail: { kind: "whole", source: source(text) }, maxTextBytes });
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: "grapheme", minLength: 1 }),
        fc.integer({ min: 0, max: 40 }),
        async (text, most) => {
          const whole = (await readCut(text, 1_000)).text;
          const { text: kept, isTextCut } = await readCut(text, most);
          assert.ok(Buffer.byteLength(kept) <= most);
          assert.ok(whole.startsWith(kept) && kept.isWellFormed());
          assert.equal(isTextCut, kept !== whole);
          if (isTextCut) assert.ok(Buffer.byteLength(kept) > most - 4, "more of it would have fitted");
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe("readMail(): header", () => {
  it("gives who wrote to whom, about what and when, and what it hangs on", async () => {
    const mail = await read(
      'From: =?utf-8?Q?J=C3=BCrgen?= <J@people.example>\r\nTo: bot@mail.example, "O\'Neil, Pat" <pat@x.example>\r\n' +
        "Reply-To: elsewhere@people.example\r\nSubject: =?utf-8?B?xbzDs8WCxIc=?=\r\nDate: Fri, 02 Jan 2026 03:04:05 +0100\r\n" +
        "Message-ID: <3@x>\r\nIn-Reply-To: <2@x>\r\nReferences: <1@x>\r\n <2@x>\r\n\r\nhi",
    );
    assert.deepEqual(mail.from, { name: "Jürgen", address: "J@people.example" });
    assert.deepEqual(mail.replyTo, { name: "", address: "elsewhere@people.example" });
    assert.equal(mail.subject, "żółć");
    assert.match(mail.to, /bot@mail\.example.*pat@x\.example/u);
    assert.equal(mail.dateMs, Date.UTC(2026, 0, 2, 2, 4, 5));
    assert.deepEqual([mail.messageId, mail.inReplyTo, mail.references], ["<3@x>", "<2@x>", ["<1@x>", "<2@x>"]]);
  });

  for (const from of [
    "From: boss@corp.example, eve@evil.example\r\n",
    'From: <"x"@evil.example>, boss@corp.example\r\n',
    "From: boss@corp.example\r\nFrom: eve@evil.example\r\n",
  ])
    it(`takes nobody for the sender of several: ${JSON.stringify(from)}`, async () => {
      assert.equal((await read(`${from}Subject: x\r\n\r\nhi`)).from, null);
    });

  for (const from of ["", "From:\r\n", "From: <>\r\n", "From: nobody\r\n", "From: undisclosed:;\r\n", 'From: "\r\n'])
    it(`finds nobody in ${JSON.stringify(from)}`, async () => {
      assert.equal((await read(`${from}Subject: x\r\n\r\nhi`)).from, null);
    });

  for (const date of ["", "Date: never\r\n", "Date: \r\n", "Date: 99999999\r\n"])
    it(`takes no time from ${JSON.stringify(date)}`, async () => {
      assert.equal((await read(`${header}${date}\r\nhi`)).dateMs, null);
    });

  it("bounds every part of it", async () => {
    const references = Array.from({ length: 3_000 }, (_, index) => `<${index}@x>`).join(" ");
    const mail = await read(
      `From: ${"n".repeat(5_000)} <a@b.c>\r\nTo: ${"a@b.c,".repeat(5_000)}\r\nSubject: ${"s".repeat(20_000)}\r\n` +
        `References: ${references}\r\nMessage-ID: <${"i".repeat(5_000)}@x>\r\n\r\nhi`,
    );
    assert.ok((mail.from?.name.length ?? 0) <= 998 && mail.to.length <= 998 && mail.subject.length <= 998);
    assert.equal(mail.messageId, null);
    assert.equal(mail.references.length, 100);
    assert.deepEqual([mail.references[0], mail.references.at(-1)], ["<0@x>", "<2999@x>"]);
  });

  const marks: readonly (readonly [string, Partial<Mail["marks"]>])[] = [
    ["Auto-Submitted: auto-replied (vacation)", { autoSubmitted: "auto-replied" }],
    ["Auto-Submitted: Auto-Generated; owner-email=x", { autoSubmitted: "auto-generated" }],
    ["Auto-Submitted: no", { autoSubmitted: "no" }],
    ["Precedence: Bulk", { precedence: "bulk" }],
    ["X-Autoreply: yes", { isAutoReply: true }],
    ["X-Autorespond: 1", { isAutoReply: true }],
    ["List-Id: News <news.example.com>", { isList: true }],
    ["List-Unsubscribe: <https://x.example/u>", { isList: true }],
    ["List-Help: <mailto:help@x.example>", { isList: false }],
    ["Return-Path: <>", { isReport: true }],
    ["Return-Path: <ann@people.example>", { isReport: false }],
    ["Content-Type: multipart/report; report-type=delivery-status; boundary=x", { isReport: true }],
    ["X-Spam: no", { autoSubmitted: "", precedence: "", isAutoReply: false, isList: false, isReport: false }],
  ];
  for (const [line, expected] of marks)
    it(`sees what ${JSON.stringify(line)} says`, async () => {
      const found = (await read(`${header}${line}\r\n\r\nhi`)).marks;
      assert.deepEqual({ ...found, ...expected }, found);
    });
});

describe("readMail(): files", () => {
  it("names them with their IMAP part, images in the text among them", async () => {
    const inner = `Content-Type: message/rfc822\r\nContent-Disposition: inline\r\n\r\nFrom: x@y.z\r\nSubject: inner\r\n\r\ninner text`;
    const image = "Content-Type: image/png\r\nContent-ID: <1>\r\nContent-Disposition: inline\r\n\r\nxx";
    const mail = await read(header + multipart("mixed", multipart("related", html, image), inner, pdf));
    assert.deepEqual(
      mail.files.map(({ part, filename, mimeType }) => [part, filename, mimeType]),
      [
        ["1.2", "file", "image/png"],
        ["2", "file", "message/rfc822"],
        ["3", "a.pdf", "application/pdf"],
      ],
    );
    assert.equal(mail.text, "HTML text");
  });

  it("names the one that a mail is", async () => {
    const { files } = await read(header + pdf);
    assert.deepEqual(files, [{ filename: "a.pdf", mimeType: "application/pdf", sizeBytes: 3, part: "1" }]);
  });

  it("counts the ones that are too many", async () => {
    const mail = await read(header + multipart("mixed", ...Array.from({ length: 130 }, () => pdf)));
    assert.deepEqual([mail.files.length, mail.filesLeftOut], [100, 30]);
  });
});

describe("readMail(): identity", () => {
  it("is the same for the same mail, also after another way to us", async () => {
    const body = `Subject: x\r\nDate: Fri, 02 Jan 2026 03:04:05 +0100\r\n\r\nhi`;
    const one = await read(`Received: from a\r\n${header}${body}`);
    const other = await read(`Received: from b\r\nX-Spam: no\r\n${header}${body}`);
    assert.equal(one.digest, other.digest);
  });

  it("is another one for another mail under the same Message-ID, and without one for another text", async () => {
    const at = async (date: string): Promise<string> => (await read(`${header}Date: ${date}\r\n\r\nhi`)).digest;
    assert.notEqual(await at("Fri, 02 Jan 2026 03:04:05 +0100"), await at("Fri, 02 Jan 2026 03:04:06 +0100"));
    const saying = async (text: string): Promise<string> => (await read(`From: a@b.c\r\n\r\n${text}`)).digest;
    assert.notEqual(await saying("one"), await saying("two"));
  });
});

describe("readMail() of parts", () => {
  const partOf = (top: string, partHeader: string | null, body: string): Promise<Mail> =>
    readMail({
      mail: {
        kind: "part",
        header: Buffer.from(top),
        partHeader: partHeader === null ? null : Buffer.from(partHeader),
        body: Buffer.from(body, "latin1"),
      },
      maxTextBytes: 1_000,
    });

  it("reads one part under the mail's header", async () => {
    const top = `${header}Subject: s\r\nContent-Type: multipart/mixed;\r\n boundary=x\r\nContent-Transfer-Encoding: 7bit\r\n\r\n`;
    const part = "Content-Type: text/html; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n";
    const mail = await partOf(top, part, "<p>caf=E9</p>");
    assert.deepEqual([mail.text, mail.subject, mail.files], ["café", "s", []]);
  });

  it("reads the beginning of a mail that has no parts", async () => {
    const mail = await partOf(`${header}Content-Type: text/plain; charset=iso-8859-1\r\n\r\n`, null, "caf\xe9 and mo");
    assert.equal(mail.text, "café and mo");
  });
});

describe("readMail() of anything", () => {
  it("gives a bounded mail or an error, whatever it is fed", async () => {
    const line = fc.oneof(
      fc.constantFrom(
        "From: a@b.c",
        "Content-Type: multipart/mixed; boundary=b",
        "--b",
        "--b--",
        "",
        "Content-Type: text/html",
        "Date: x",
      ),
      fc.string({ unit: "binary", maxLength: 40 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 30 }), async (lines) => {
        const mail = await read(lines.join("\r\n")).catch(() => null);
        if (mail === null) return;
        assert.ok(mail.text.isWellFormed() && !mail.text.includes("\0"));
        assert.ok(mail.from === null || !/[\s,]/u.test(mail.from.address));
        assert.deepEqual(structuredClone(mail), mail);
      }),
      { numRuns: 150 },
    );
  });
});
