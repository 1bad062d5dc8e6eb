/** Mails out of the open folder: a small one whole, of a large one its header and its text. Nothing here marks one as read. */
import type { FetchMessageObject } from "imapflow";
import { GatewayError } from "../../src/contract/errors.ts";
import { outlineOf, type TextPart } from "./body-structure.ts";
import type { ImapConnection } from "./imap-connection.ts";
import { type Mail, mailLimits } from "./mail.ts";
import type { MimeReader } from "./mime-reader.ts";
import type { ReadMailTask } from "./read-mail.ts";

/** A mail as the folder lists it. */
export type ListedMail = { readonly uid: number; readonly sizeBytes: number; readonly receivedAtMs: number | null };

/** A mail as far as it could be read. `problem`: why `mail` is its header alone, or `null`. */
export type FetchedMail = {
  readonly listed: ListedMail;
  readonly mail: Mail | null;
  readonly problem: string | null;
};

/** What reading works with. */
export type FetchParts = {
  readonly connection: ImapConnection;
  readonly reader: MimeReader;
  readonly maxTextBytes: number;
};

/** A larger one is not fetched whole: what makes it large is files that perhaps nobody wants. */
export const wholeMailBytes = 1_048_576;
const longestHeaderBytes = 65_536;
/** Of each of many: most are shorter. */
const recentHeaderBytes = 16_384;
/** Enough for who wrote it, where the whole of a header is too much. */
const headerBeginningBytes = 8_192;
/** Of an encoded text, which may take three bytes for each of its own. */
const longestTextBytes = 1_048_576;

/** These mails of the open folder; what is gone meanwhile is left out. */
export async function listMails(connection: ImapConnection, uids: readonly number[]): Promise<readonly ListedMail[]> {
  const query = { uid: true, size: true, internalDate: true } as const;
  const rows = await connection.run("list mails", (client) => client.fetchAll([...uids], query, { uid: true }));
  const listed = new Map(rows.map((row) => [row.uid, listedMail(row)]));
  return uids.flatMap((uid) => listed.get(uid) ?? []);
}

function listedMail({ uid, size, internalDate }: FetchMessageObject): ListedMail {
  const receivedAtMs = internalDate === undefined ? Number.NaN : new Date(internalDate).getTime();
  // One without a size is treated as a large one.
  return {
    uid,
    sizeBytes: size ?? Number.POSITIVE_INFINITY,
    receivedAtMs: Number.isFinite(receivedAtMs) ? receivedAtMs : null,
  };
}

/**
 * Reads `mails` in order. One that cannot be read is given as far as it can, and the next ones follow.
 * @throws {GatewayError} when the connection ends.
 */
export async function* fetchMails(parts: FetchParts, mails: readonly ListedMail[]): AsyncGenerator<FetchedMail> {
  const sources = await wholeSources(
    parts,
    mails.filter(({ sizeBytes }) => sizeBytes <= wholeMailBytes),
  );
  for (const listed of mails) yield await readMail(parts, listed, sources.get(listed.uid) ?? null);
}

async function wholeSources(
  { connection }: FetchParts,
  mails: readonly ListedMail[],
): Promise<ReadonlyMap<number, Buffer>> {
  if (mails.length === 0) return new Map();
  const uids = mails.map(({ uid }) => uid);
  try {
    const rows = await connection.run("fetch mails", (client) =>
      client.fetchAll(uids, { source: true }, { uid: true }),
    );
    return new Map(rows.flatMap(({ uid, source }) => (source === undefined ? [] : [[uid, source] as const])));
  } catch (reason) {
    // The server refuses all of them for the sake of one: each is tried in its own way.
    if (connection.isOver) throw reason;
    return new Map();
  }
}

async function readMail(parts: FetchParts, listed: ListedMail, source: Buffer | null): Promise<FetchedMail> {
  const { connection, reader, maxTextBytes } = parts;
  const problems: string[] = [];
  const ways = [
    async () => (source === null ? null : reader.read({ mail: { kind: "whole", source }, maxTextBytes })),
    () => readInParts(parts, listed.uid),
  ];
  for (const way of ways)
    try {
      const mail = await way();
      if (mail !== null) return { listed, mail, problem: null };
    } catch (reason) {
      if (connection.isOver) throw reason;
      problems.push(GatewayError.from(reason).message);
    }
  return {
    listed,
    mail: await readHeader(parts, listed.uid),
    problem: problems.at(-1) ?? "the server does not give it",
  };
}

/** Its header and its text, and the names of its files. */
async function readInParts(parts: FetchParts, uid: number): Promise<Mail | null> {
  const { connection, reader, maxTextBytes } = parts;
  const bodyParts = [{ key: "HEADER", maxLength: longestHeaderBytes }];
  const row = await connection.run("fetch the outline of a mail", (client) =>
    client.fetchOne(String(uid), { bodyStructure: true, bodyParts }, { uid: true }),
  );
  if (row === false || row.headers === undefined || row.bodyStructure === undefined) return null;
  const { text, files } = outlineOf(row.bodyStructure);
  const body = text === null ? null : await fetchText(parts, uid, text);
  const mail = await reader.read({
    mail: {
      kind: "part",
      header: row.headers,
      partHeader: body === null ? emptyText : body.header,
      body: body?.text ?? Buffer.alloc(0),
    },
    maxTextBytes,
  });
  return {
    ...mail,
    isTextCut: mail.isTextCut || (body?.isCut ?? false),
    files: files.slice(0, mailLimits.files),
    filesLeftOut: Math.max(0, files.length - mailLimits.files),
  };
}

/** In place of the text of a mail that has none: what its header says of its body is of its files. */
const emptyText = Buffer.from("Content-Type: text/plain\r\n\r\n");

type FetchedText = { readonly header: Buffer | null; readonly text: Buffer; readonly isCut: boolean };

async function fetchText(
  { connection, maxTextBytes }: FetchParts,
  uid: number,
  { part, sizeBytes }: TextPart,
): Promise<FetchedText | null> {
  const key = part ?? "TEXT";
  const maxLength = Math.min(maxTextBytes * 3, longestTextBytes);
  const bodyParts = [
    { key, maxLength },
    ...(part === null ? [] : [{ key: `${part}.MIME`, maxLength: longestHeaderBytes }]),
  ];
  const row = await connection.run("fetch the text of a mail", (client) =>
    client.fetchOne(String(uid), { bodyParts }, { uid: true }),
  );
  const found = row === false ? undefined : row.bodyParts;
  const text = found?.get(key.toLowerCase());
  if (text === undefined) return null;
  return {
    header: part === null ? null : (found?.get(`${part}.mime`) ?? emptyText),
    text,
    isCut: sizeBytes > maxLength,
  };
}

function headerTask(header: Buffer, maxTextBytes: number): ReadMailTask {
  return { mail: { kind: "part", header, partHeader: emptyText, body: Buffer.alloc(0) }, maxTextBytes };
}

/** Who wrote the last `limit` mails of `folder` and about what, newest first. What cannot be read is left out. */
export async function* recentHeaders(
  { connection, reader, maxTextBytes }: FetchParts,
  folder: string,
  limit: number,
): AsyncGenerator<Mail> {
  const bodyParts = [{ key: "HEADER", maxLength: recentHeaderBytes }];
  const rows = await connection.run(`look through the folder ${folder}`, async (client) => {
    const { exists } = await client.mailboxOpen(folder, { readOnly: true });
    return exists === 0 ? [] : client.fetchAll(`${Math.max(1, exists - limit + 1)}:*`, { uid: true, bodyParts });
  });
  for (const { headers } of rows.toReversed()) {
    // One that is not to be read tells nothing.
    const mail = headers === undefined ? null : await reader.read(headerTask(headers, maxTextBytes)).catch(() => null);
    if (mail !== null) yield mail;
  }
}

/** Who wrote it and about what, where no more can be had; `null`: not even that. */
async function readHeader({ connection, reader, maxTextBytes }: FetchParts, uid: number): Promise<Mail | null> {
  try {
    const bodyParts = [{ key: "HEADER", maxLength: headerBeginningBytes }];
    const row = await connection.run("fetch the header of a mail", (client) =>
      client.fetchOne(String(uid), { bodyParts }, { uid: true }),
    );
    if (row === false || row.headers === undefined) return null;
    return await reader.read(headerTask(row.headers, maxTextBytes));
  } catch (reason) {
    if (connection.isOver) throw reason;
    // It is said of the mail that it cannot be read.
    return null;
  }
}
