/** A file that came with a message, on its way into a handler: its adapter writes it down, the handler's thread reads it. */
import { readFile, unlink } from "node:fs/promises";
import { GatewayError } from "../src/contract/errors.ts";
import type { AttachmentReader } from "../src/contract/open-message.ts";
import type { ThreadPort } from "./thread-port.ts";

/** The bytes behind `ref`. @throws {GatewayError} what the adapter or the gateway made of it. */
export async function readAttachment(
  port: ThreadPort,
  receipt: string,
  request: Parameters<AttachmentReader>[0],
): Promise<Uint8Array> {
  // Made by the coordinator of the same version: trusted.
  const { path } = (await port.request("attachment", { ...request, receipt })) as { readonly path: string };
  try {
    return await readFile(path);
  } catch (cause) {
    throw new GatewayError("not_found", "Cannot read the attachment: its file is gone", { cause });
  } finally {
    await unlink(path).catch(() => {
      // The gateway sweeps what is left.
    });
  }
}
