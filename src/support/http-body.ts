/** The body of a request, whole and bounded. */
import type { IncomingMessage, ServerResponse } from "node:http";

/** The bytes, or why there are none. `gone`: the client went away before its end. */
export type BodyResult =
  | { readonly kind: "body"; readonly bytes: Buffer }
  | { readonly kind: "too_large" }
  | { readonly kind: "gone" };

const noBytes = Buffer.alloc(0);
const tooLarge: BodyResult = { kind: "too_large" };
const gone: BodyResult = { kind: "gone" };

/**
 * Reads a body of at most `limitBytes`. With more, `too_large` at once, the rest unread: answer with
 * `answerFailureBeforeBody`. Asks a client to go on that waits for leave to send.
 */
export async function readBody(
  request: IncomingMessage,
  response: ServerResponse,
  limitBytes: number,
): Promise<BodyResult> {
  const announced = request.headers["content-length"];
  if (announced !== undefined && Number(announced) > limitBytes) return tooLarge;
  if (request.headers.expect !== undefined) response.writeContinue();
  const result = Promise.withResolvers<BodyResult>();
  const chunks: Buffer[] = [];
  let length = 0;
  const onData = (chunk: Buffer): void => {
    length += chunk.length;
    if (length <= limitBytes) {
      chunks.push(chunk);
      return;
    }
    request.off("data", onData);
    request.pause();
    result.resolve(tooLarge);
  };
  request.on("data", onData);
  request.once("end", () => {
    const [only] = chunks;
    const bytes =
      chunks.length === 1 && only !== undefined ? only : length === 0 ? noBytes : Buffer.concat(chunks, length);
    result.resolve({ kind: "body", bytes });
  });
  request.once("close", () => result.resolve(gone));
  request.once("error", () => result.resolve(gone));
  return result.promise;
}
