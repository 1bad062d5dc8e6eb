/** A file of a mail, out of the mailbox and onto the disk: that one part, decoded, never marked as read. */
import { open, unlink } from "node:fs/promises";
import type { RunningAdapter } from "../../src/contract/adapter.ts";
import { GatewayError } from "../../src/contract/errors.ts";
import { errnoOf } from "../../src/support/errno.ts";
import { type FilePlace, parseFileRef } from "./file-ref.ts";
import type { ImapConnection } from "./imap-connection.ts";
import type { MailboxDesk } from "./mailbox-desk.ts";

/** One request for a file. */
export type FileRequest = Parameters<NonNullable<RunningAdapter["attachment"]>>[0];

const chunkBytes = 262_144;

/** @throws {GatewayError} `not_found` when the mail or the file is not there any more, `too_large`, and what IMAP says. */
export async function fetchFile(
  { desk, folders }: { readonly desk: MailboxDesk; readonly folders: readonly string[] },
  { ref, path, maxBytes, signal }: FileRequest,
): Promise<{ readonly sizeBytes: number }> {
  const place = parseFileRef(ref);
  if (place === null || !folders.includes(place.folder)) throw gone("its reference names none of this mailbox");
  return desk.ask(async (connection) => {
    await openFolder(connection, place);
    return save(connection, place, { path, maxBytes });
  }, signal);
}

async function openFolder(connection: ImapConnection, { folder, uidValidity }: FilePlace): Promise<void> {
  // Opened for reading alone: nothing that is looked at becomes something that was read.
  const mailbox = await connection.run(`open the folder ${folder}`, (client) =>
    client.mailboxOpen(folder, { readOnly: true }),
  );
  if (String(mailbox.uidValidity) !== uidValidity) throw gone("the server has numbered its folder anew");
}

async function save(
  connection: ImapConnection,
  { uid, part }: FilePlace,
  { path, maxBytes }: { readonly path: string; readonly maxBytes: number },
): Promise<{ readonly sizeBytes: number }> {
  return connection.run("fetch the file", async (client) => {
    const options = { uid: true, decodeText: false, chunkSize: chunkBytes } as const;
    const { meta, content } = await client.download(String(uid), part, options);
    if (content === undefined || meta.contentType === undefined) throw gone("the mail has been removed");
    const file = await open(path, "wx", 0o600).catch(notWritten);
    try {
      let sizeBytes = 0;
      for await (const chunk of content as AsyncIterable<Buffer>) {
        sizeBytes += chunk.length;
        if (sizeBytes > maxBytes)
          throw new GatewayError("too_large", `Cannot fetch the file: found more than ${maxBytes} bytes`);
        await file.appendFile(chunk).catch(notWritten);
      }
      await file.close();
      return { sizeBytes };
    } catch (reason) {
      content.destroy();
      await file.close();
      await unlink(path);
      throw reason;
    }
  });
}

function notWritten(reason: unknown): never {
  throw new GatewayError("internal", `Cannot write the file: ${errnoOf(reason) ?? "unknown"}`, { cause: reason });
}

function gone(why: string): GatewayError {
  return new GatewayError("not_found", `Cannot fetch the file: ${why}`);
}
