/** Mails that are made to take time, memory or the stack. Each is as large as a mail that is fetched whole may be. */

const header =
  "From: Mallory <mallory@people.example>\r\nMessage-ID: <hostile@people.example>\r\nMIME-Version: 1.0\r\n";
const size = 1_000_000;

/** By what they do. */
export function hostileMails(): Readonly<Record<string, string>> {
  const html = (body: string): string => `${header}Content-Type: text/html\r\n\r\n${filled(body)}`;
  const field = (name: string, part: string): string => `${header}${name}: ${filled(part, 240_000)}\r\n\r\nbody`;
  return {
    "HTML nested without end": html("<div>"),
    "HTML of unclosed tags": html("<a href='"),
    "HTML of nothing but brackets": html("<"),
    "HTML of unclosed comments": html("<!--"),
    "HTML of attributes": `${header}Content-Type: text/html\r\n\r\n<a ${filled("a=b ")}>`,
    "HTML of entities": html("&amp"),
    "HTML of nested tables": html("<table><tr><td>"),
    "HTML of nested lists": html("<ul><li>"),
    "HTML of nested quotes": html("<blockquote>"),
    "HTML of one long word": html("a"),
    "HTML of white space": `${header}Content-Type: text/html\r\n\r\n<p>a${filled(" \t")}b`,
    "ten thousand parts": `${header}Content-Type: multipart/mixed; boundary=b\r\n\r\n${"--b\r\n\r\nx\r\n".repeat(10_000)}--b--\r\n`,
    "parts within parts": nestedParts(2_000),
    "a mail within a mail within a mail": `${header}${"Content-Type: message/rfc822\r\n\r\n".repeat(3_000)}`,
    "a header of many lines": `${header}${filled("A: b\r\n")}\r\nbody`,
    "a header of one long line": field("X", "a b "),
    "recipients without end": field("To", "a@b.c,"),
    "open brackets for recipients": field("To", '"a" <'),
    "open parentheses for recipients": field("Cc", "("),
    "encoded words without end": field("Subject", "=?utf-8?q?=41?= "),
    "half encoded words": field("Subject", "=?"),
    "references without end": field("References", "<a@b> "),
    "parameters without end": `${header}Content-Type: text/plain; ${filled("a*0=b; ", 240_000)}\r\n\r\nbody`,
    "broken base64": `${header}Content-Transfer-Encoding: base64\r\n\r\n${filled("!?")}`,
    "quoted-printable of equals signs": `${header}Content-Transfer-Encoding: quoted-printable\r\n\r\n${filled("=")}`,
    "flowed quotes": `${header}Content-Type: text/plain; format=flowed\r\n\r\n${filled("> > > a \r\n")}`,
  };
}

function filled(part: string, length = size): string {
  return part.repeat(Math.floor(length / part.length));
}

function nestedParts(depth: number): string {
  const levels = Array.from(
    { length: depth },
    (_, level) => `Content-Type: multipart/mixed; boundary=b${level}\r\n\r\n--b${level}\r\n`,
  );
  return `${header}${levels.join("")}Content-Type: text/plain\r\n\r\ndeep\r\n`;
}
