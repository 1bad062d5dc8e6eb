/** The bytes of a file that came with a message: asked for by its id, fetched with the token, which nobody else sees. */
import type { RunningAdapter } from "../../src/contract/adapter.ts";
import { GatewayError } from "../../src/contract/errors.ts";
import { downloadToFile } from "../../src/support/download.ts";
import type { TelegramApi } from "./api.ts";

const downloadTimeoutMs = 120_000;

/** One request for a file. */
export type AttachmentRequest = Parameters<NonNullable<RunningAdapter["attachment"]>>[0];

/** @throws {GatewayError} `too_large` (Telegram itself gives no more than 20 MB), `not_found`, and others. */
export async function fetchAttachment(
  api: TelegramApi,
  { ref, path, maxBytes, signal }: AttachmentRequest,
): Promise<{ readonly sizeBytes: number }> {
  const file = await api.call("getFile", { file_id: ref }, { signal });
  const { file_path: filePath, file_size: sizeBytes = 0 } = file;
  if (sizeBytes > maxBytes)
    throw new GatewayError("too_large", `Cannot fetch the file: found ${sizeBytes} bytes, at most ${maxBytes}`);
  // A Bot API server of one's own may answer with a path on its own disk.
  if (filePath === undefined || filePath.startsWith("/"))
    throw new GatewayError("not_found", "Cannot fetch the file: Telegram names no place to fetch it from");
  const { hostname } = new URL(api.root);
  return downloadToFile({
    url: api.fileUrl(filePath),
    headers: {},
    isAllowedHost: (host) => host === hostname,
    path,
    maxBytes,
    timeoutMs: downloadTimeoutMs,
    signal,
  });
}
