/** The name by which Discord knows a message that is posted again. */
import { hash } from "node:crypto";

/**
 * At most 25 characters, always the same for the same part of the same send. With `enforce_nonce` Discord answers a second
 * post within a few minutes with the first one's message.
 * {@link https://discord.com/developers/docs/resources/message#create-message}
 */
export function nonceOf(idempotencyKey: string, part: number | string): string {
  return hash("sha256", `${idempotencyKey}\n${part}`, "base64url").slice(0, 25);
}
