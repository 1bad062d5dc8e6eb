/** Who may use the webhook: a token, or a signature over the body, whichever the settings have. */
import type { IncomingHttpHeaders } from "node:http";
import { isSignatureOf, secretMatcher, type SecretMatcher } from "../../src/support/secret-matcher.ts";

/** What the headers alone say. `signed`: it depends on the body, see {@link Credentials.isSigned}. */
export type HeaderVerdict = "allowed" | "refused" | "signed";

/** How far a signed request's clock may be off, in seconds. */
const timestampToleranceSeconds = 300;

/** The settings' token and signing secret; with neither, everyone is allowed. */
export class Credentials {
  readonly isOpen: boolean;
  readonly #isToken: SecretMatcher;
  readonly #signingSecret: string;

  constructor(settings: { readonly authToken: string; readonly signingSecret: string }) {
    this.isOpen = settings.authToken === "" && settings.signingSecret === "";
    this.#isToken = secretMatcher(settings.authToken);
    this.#signingSecret = settings.signingSecret;
  }

  /** Judges the token, then whether there is a signature fresh enough to be worth reading the body for. */
  judge(headers: IncomingHttpHeaders, nowMs: number): HeaderVerdict {
    if (this.isOpen) return "allowed";
    const token = tokenOf(headers);
    if (token !== null && this.#isToken(token)) return "allowed";
    if (this.#signingSecret === "") return "refused";
    const timestamp = headers["x-webhook-timestamp"];
    if (typeof timestamp !== "string" || typeof headers["x-webhook-signature"] !== "string") return "refused";
    return isFresh(timestamp, nowMs) ? "signed" : "refused";
  }

  /** Whether the signature in `headers` is ours for `body`. Only for what {@link Credentials.judge} called `signed`. */
  isSigned(headers: IncomingHttpHeaders, body: Uint8Array): boolean {
    const timestamp = headers["x-webhook-timestamp"];
    const signature = headers["x-webhook-signature"];
    if (typeof timestamp !== "string" || typeof signature !== "string") return false;
    return isSignatureOf(this.#signingSecret, timestamp, body, signature);
  }
}

function tokenOf(headers: IncomingHttpHeaders): string | null {
  const token = headers["x-webhook-token"];
  if (typeof token === "string") return token;
  const { authorization } = headers;
  if (authorization === undefined || authorization.slice(0, 7).toLowerCase() !== "bearer ") return null;
  return authorization.slice(7).trim();
}

function isFresh(timestamp: string, nowMs: number): boolean {
  if (!/^\d{1,12}$/u.test(timestamp)) return false;
  return Math.abs(nowMs / 1000 - Number(timestamp)) <= timestampToleranceSeconds;
}
