/** Comparing secrets without telling by the time it takes how much of one was right. */
import { createHmac, hash, timingSafeEqual } from "node:crypto";

/** Whether a candidate is the secret. */
export type SecretMatcher = (candidate: string) => boolean;

/** Digests are compared, so that not even the secret's length shows. An empty `secret` matches nothing. */
export function secretMatcher(secret: string): SecretMatcher {
  if (secret === "") return () => false;
  const expected = digest(secret);
  return (candidate) => timingSafeEqual(digest(candidate), expected);
}

function digest(text: string): Buffer {
  return hash("sha256", text, { outputEncoding: "buffer" });
}

const signatureForm = /^sha256=[0-9a-f]{64}$/iu;

/** HMAC-SHA-256 of `timestamp.body` as `sha256=HEX`: the form both our own webhook and the `url` consumer speak. */
export function signBody(secret: string, timestamp: string, body: Uint8Array): string {
  return `sha256=${createHmac("sha256", secret).update(`${timestamp}.`).update(body).digest("hex")}`;
}

/** Whether `signature` is {@link signBody}'s for these bytes. */
export function isSignatureOf(secret: string, timestamp: string, body: Uint8Array, signature: string): boolean {
  if (!signatureForm.test(signature)) return false;
  const given = Buffer.from(signature.slice(7), "hex");
  return timingSafeEqual(given, createHmac("sha256", secret).update(`${timestamp}.`).update(body).digest());
}
