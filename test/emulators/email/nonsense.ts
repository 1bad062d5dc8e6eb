/** What no honest mail server says and no honest person sends. */

const header = "From: Mallory <mallory@people.example>\r\nMessage-ID: <nonsense-";

/** Mails that are broken in every way that MIME can be. */
export function nonsenseMails(): readonly Buffer[] {
  const mails: string[] = [
    "",
    "\r\n\r\n",
    "not a header at all\r\n\r\nbody",
    "From:\r\nTo:\r\nSubject:\r\nMessage-ID:\r\nDate:\r\n\r\n",
    "From: <>\r\n\r\nnobody",
    'From: "\r\nSubject: =?utf-8?B?////?= =?x-none?Q?=ZZ?=\r\n\r\nquotes',
    `${header}1@x>\r\nDate: never\r\nContent-Type: text/plain; charset=x-nonsense\r\nContent-Transfer-Encoding: x-none\r\n\r\n\xff\xfe`,
    `${header}2@x>\r\nContent-Type: multipart/mixed; boundary=""\r\n\r\n--\r\n\r\n----\r\n`,
    `${header}3@x>\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n${"--b\r\n\r\nx\r\n".repeat(3_000)}`,
    `${header}4@x>\r\nContent-Type: text/html\r\n\r\n${"<div>".repeat(20_000)}`,
    `${header}5@x>\r\nReferences: ${"<a@b> ".repeat(5_000)}\r\n\r\nreferences`,
    `${header}6@x>\r\nTo: ${"a@b,".repeat(10_000)}\r\n\r\nrecipients`,
    `${header}7@x>\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n${"!?".repeat(10_000)}`,
  ];
  let deep = `${header}8@x>\r\n`;
  for (let level = 0; level < 500; level += 1)
    deep += `Content-Type: multipart/mixed; boundary=b${level}\r\n\r\n--b${level}\r\n`;
  return [...mails, deep].map((mail) => Buffer.from(mail, "latin1"));
}

/** Lines in place of what an IMAP server says by itself. */
export const nonsenseLines: readonly string[] = [
  "* NONSENSE\r\n",
  "*\r\n",
  "\r\n",
  "* 4294967296 EXISTS\r\n",
  "* -1 EXISTS\r\n",
  "* 3 EXPUNGE\r\n",
  "* 1 FETCH (UID)\r\n",
  "* OK [UIDNEXT nothing] \r\n",
  "* FLAGS (\\Seen\r\n",
  "ZZ9 OK done\r\n",
];
