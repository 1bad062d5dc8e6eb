/** Which call a file is sent by: people see a picture as a picture. Pure. */
import { GatewayError } from "../../src/contract/errors.ts";

/** The calls, and the field that holds the file in each. */
export type FileCall =
  | { readonly method: "sendPhoto"; readonly field: "photo" }
  | { readonly method: "sendAnimation"; readonly field: "animation" }
  | { readonly method: "sendVideo"; readonly field: "video" }
  | { readonly method: "sendVoice"; readonly field: "voice" }
  | { readonly method: "sendAudio"; readonly field: "audio" }
  | { readonly method: "sendDocument"; readonly field: "document" };

/** https://core.telegram.org/bots/api#sending-files */
const uploadLimitBytes = 50 * 1024 * 1024;
const photoLimitBytes = 10 * 1024 * 1024;

/** What takes any file. */
export const documentCall: FileCall = { method: "sendDocument", field: "document" };

/** @throws {GatewayError} `message_rejected` for an empty file, `too_large` above 50 MiB. */
export function fileCallOf(mimeType: string, sizeBytes: number): FileCall {
  if (sizeBytes === 0)
    throw new GatewayError("message_rejected", "Cannot send the file: data is empty, expected at least one byte");
  if (sizeBytes > uploadLimitBytes)
    throw new GatewayError("too_large", `Cannot send the file: found ${sizeBytes} bytes, at most ${uploadLimitBytes}`);
  const type = mimeType.split(";", 1)[0]?.trim().toLowerCase() ?? "";
  switch (type) {
    case "image/jpeg":
    case "image/png":
    case "image/webp":
      return sizeBytes > photoLimitBytes ? documentCall : { method: "sendPhoto", field: "photo" };
    case "image/gif":
      return { method: "sendAnimation", field: "animation" };
    case "video/mp4":
      return { method: "sendVideo", field: "video" };
    case "audio/ogg":
    case "audio/opus":
      return { method: "sendVoice", field: "voice" };
    case "audio/mpeg":
    case "audio/mp3":
    case "audio/mp4":
    case "audio/x-m4a":
    case "audio/m4a":
      return { method: "sendAudio", field: "audio" };
    default:
      return documentCall;
  }
}

/** A name that ends no header of the upload. */
export function safeFilename(filename: string): string {
  const safe = filename.replaceAll(/[\p{Cc}"\\/;]/gu, "_").trim();
  return safe === "" ? "file" : safe.slice(0, 200);
}
