/** What an IMAP server, its library and the way to it say when something fails, as our errors. */
import { GatewayError } from "../../src/contract/errors.ts";
import { NotLoopbackError } from "./loopback-lookup.ts";
import { waitNamedIn } from "./named-wait.ts";

/** What a person does about refused credentials. */
export const imapLoginAction =
  "Check imap_username and imap_password (or oauth2_access_token) of this adapter; many providers want an app password";

/** What was tried, and how its words are said without secrets. */
export type FailedCommand = { readonly what: string; readonly redact: (text: string) => string };

/** Of the library's errors, whatever is there. No object of it goes further: some hold the command that was sent. */
type ImapFields = {
  readonly code: string;
  readonly responseCode: string;
  readonly text: string;
  readonly isRefusedLogin: boolean;
  readonly throttleMs: number | null;
};

const defaultWaitMs = 60_000;
const longestTextCharacters = 300;

/** The error of one failed command or connection. */
export function errorOfImap(reason: unknown, { what, redact }: FailedCommand): GatewayError {
  if (reason instanceof GatewayError) return reason;
  if (reason instanceof NotLoopbackError)
    return new GatewayError("config_invalid", `Cannot ${what}: ${reason.message}`, {
      userAction: "Set imap_use_tls = true, or imap_host to 127.0.0.1",
    });
  const fields = fieldsOf(reason);
  const text = redact(fields.text).slice(0, longestTextCharacters);
  const message = `Cannot ${what}: ${text}`;
  if (fields.throttleMs !== null) return rateLimited(message, fields.throttleMs);
  if (fields.responseCode === "LIMIT" || fields.responseCode === "INUSE")
    return rateLimited(message, waitNamedIn(text) ?? defaultWaitMs);
  if (fields.isRefusedLogin) return errorOfLogin(fields, message);
  if (fields.code.endsWith("TIMEOUT")) return new GatewayError("timeout", message);
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ALTNAME/u.test(fields.code))
    return new GatewayError("platform_unavailable", message, {
      userAction: "Check imap_host: the server's certificate is not valid for it",
    });
  return new GatewayError("platform_unavailable", message);
}

/** Of a provider that names no reason by code where an account has too many connections, or has logged in too often. */
const passingRefusal = /too many|simultaneous|temporar|try again|later/iu;
const finalRefusals: ReadonlySet<string> = new Set(["AUTHENTICATIONFAILED", "AUTHORIZATIONFAILED", "EXPIRED"]);

function errorOfLogin({ responseCode, text }: ImapFields, message: string): GatewayError {
  // https://www.rfc-editor.org/rfc/rfc5530: a server that cannot ask for the password right now says nothing about it.
  if (responseCode === "UNAVAILABLE" || responseCode === "SERVERBUG")
    return new GatewayError("platform_unavailable", message);
  if (!finalRefusals.has(responseCode) && passingRefusal.test(text))
    return rateLimited(message, waitNamedIn(text) ?? defaultWaitMs);
  return new GatewayError("unauthorized", message, { userAction: imapLoginAction });
}

function rateLimited(message: string, delayMs: number): GatewayError {
  return new GatewayError("rate_limited", message, { retry: { kind: "after", delayMs } });
}

function fieldsOf(reason: unknown): ImapFields {
  // Whatever was thrown, a field that is not there is `undefined`.
  const thrown = Object(reason) as Readonly<Record<string, unknown>>;
  const said = [thrown["reason"], thrown["responseText"], thrown["response"], thrown["message"]];
  const text = said.find((each): each is string => typeof each === "string" && each !== "") ?? "it failed";
  const { code, serverResponseCode, throttleReset } = thrown;
  return {
    code: typeof code === "string" ? code : "",
    responseCode: typeof serverResponseCode === "string" ? serverResponseCode.toUpperCase() : codeIn(text),
    text: text.replaceAll(/[\s\p{C}]+/gu, " "),
    isRefusedLogin: thrown["authenticationFailed"] === true || unusableLogin.test(text),
    throttleMs: typeof throttleReset === "number" ? throttleReset : null,
  };
}

/** The library's own words where the server takes no login that we could make. */
const unusableLogin = /^(?:Unsupported authentication mechanism|No matching authentication method)/u;

/** `LIMIT` of `[LIMIT] Too many logins`. */
function codeIn(text: string): string {
  return /^\[([A-Z]{1,40})\]/u.exec(text)?.[1] ?? "";
}
