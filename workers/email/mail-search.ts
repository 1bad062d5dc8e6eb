/** Mails by their header fields, for history, threads and what was sent. Folders are opened for reading alone. */
import type { ImapFlow, SearchObject } from "imapflow";
import { GatewayError } from "../../src/contract/errors.ts";
import { fetchMails, type FetchParts, listMails } from "./fetch-mail.ts";
import type { ImapConnection } from "./imap-connection.ts";
import type { Mail } from "./mail.ts";

/** A mail that was found. */
export type FoundMail = { readonly mail: Mail; readonly receivedAtMs: number | null };

/** Servers without an index of headers read the whole folder. */
const searchSilenceMs = 60_000;

/** The folder that sent mail is kept in; `null`: the server has none, or does not say. */
export async function sentFolderOf(connection: ImapConnection): Promise<string | null> {
  const folders = await connection.run("list the folders", (client) => client.list());
  return folders.find(({ specialUse }) => specialUse === "\\Sent")?.path ?? null;
}

/** UIDs in `folder` that match, ascending. @throws {GatewayError} where it cannot be opened or searched. */
export async function findUids(
  connection: ImapConnection,
  folder: string,
  query: SearchObject,
): Promise<readonly number[]> {
  const what = `search the folder ${folder}`;
  const search = async (client: ImapFlow): Promise<readonly number[]> => {
    await client.mailboxOpen(folder, { readOnly: true });
    const found = await client.search(query, { uid: true });
    // So the library says that the server has refused.
    if (!Array.isArray(found)) throw new GatewayError("platform_unavailable", `Cannot ${what}: the server does not`);
    return found;
  };
  return connection.run(what, search, { silenceMs: searchSilenceMs });
}

/** The same; none where it cannot be opened or searched. */
export async function searchFolder(
  connection: ImapConnection,
  folder: string,
  query: SearchObject,
): Promise<readonly number[]> {
  try {
    return await findUids(connection, folder, query);
  } catch (reason) {
    // One folder that is gone does not keep the others from being searched.
    if (connection.isOver) throw reason;
    return [];
  }
}

/** The last `limit` mails of `folders` that match. What cannot be read is left out. */
export async function searchMails(
  parts: FetchParts,
  folders: readonly string[],
  { query, limit }: { readonly query: SearchObject; readonly limit: number },
): Promise<readonly FoundMail[]> {
  const found: FoundMail[] = [];
  for (const folder of folders) {
    const uids = await searchFolder(parts.connection, folder, query);
    const listed = await listMails(parts.connection, uids.slice(-limit));
    for (const one of listed)
      for await (const { mail } of fetchMails(parts, [one]))
        if (mail !== null) found.push({ mail, receivedAtMs: one.receivedAtMs });
  }
  return found;
}

/** Mails that are one of `ids`, or refer to one. */
export function mentionsAny(ids: readonly string[]): SearchObject {
  const terms = ids.flatMap((id): SearchObject[] => [
    { header: { "message-id": id } },
    { header: { references: id } },
    { header: { "in-reply-to": id } },
  ]);
  return { or: terms };
}
