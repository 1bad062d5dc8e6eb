/** Slack's signature over a request of its own: https://docs.slack.dev/authentication/verifying-requests-from-slack */
import { createHmac, timingSafeEqual } from "node:crypto";

/** How far Slack's clock may be from ours; an older request is somebody's recording. */
const toleranceSeconds = 300;
const signatureForm = /^v0=[0-9a-f]{64}$/u;

/** What `x-slack-signature` says for `body`, sent at `timestamp` (seconds, as it is in its header). */
export function signRequest(secret: string, timestamp: string, body: Uint8Array): string {
  return `v0=${createHmac("sha256", secret).update(`v0:${timestamp}:`).update(body).digest("hex")}`;
}

/** Whether a timestamp header is of now, give or take five minutes. */
export function isFresh(timestamp: unknown, nowMs: number): timestamp is string {
  return (
    typeof timestamp === "string" &&
    /^\d{1,12}$/u.test(timestamp) &&
    Math.abs(nowMs / 1000 - Number(timestamp)) <= toleranceSeconds
  );
}

/** Whether `signature` is {@link signRequest}'s. */
export function isSigned(secret: string, timestamp: string, body: Uint8Array, signature: unknown): boolean {
  if (secret === "" || typeof signature !== "string" || !signatureForm.test(signature)) return false;
  return timingSafeEqual(Buffer.from(signature), Buffer.from(signRequest(secret, timestamp, body)));
}
