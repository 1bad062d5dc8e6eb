/** What an SMTP server, its library and the way to it say when a mail is not taken, as our errors. https://www.rfc-editor.org/rfc/rfc3463 */
import { GatewayError, type ErrorCode } from "../../src/contract/errors.ts";
import { NotLoopbackError } from "./loopback-lookup.ts";
import { waitNamedIn } from "./named-wait.ts";

/** What a person does about refused credentials. */
export const smtpLoginAction =
  "Check smtp_username and smtp_password (or oauth2_access_token) of this adapter; many providers want an app password";

const encryptionAction =
  "Check smtp_host and smtp_port of this adapter: the server does not encrypt, or has no valid certificate for its name";

/** What was tried. `isWritten`: the server had all of the mail, so that nobody knows what it did with it. */
export type FailedSubmission = {
  readonly what: string;
  readonly isWritten: boolean;
  readonly redact: (text: string) => string;
};

const defaultWaitMs = 60_000;
const longestTextCharacters = 300;

/** The error of one mail that was not taken. */
export function errorOfSmtp(reason: unknown, { what, isWritten, redact }: FailedSubmission): GatewayError {
  if (reason instanceof GatewayError) return reason;
  if (reason instanceof NotLoopbackError)
    return new GatewayError("config_invalid", `Cannot ${what}: ${reason.message}`, {
      userAction: "Set smtp_use_starttls = true, or smtp_host to 127.0.0.1",
    });
  const { responseCode, response, message, code, command } = Object(reason) as Readonly<Record<string, unknown>>;
  const said = typeof response === "string" && response !== "" ? response : message;
  const text = redact(typeof said === "string" ? said : "it failed")
    .replaceAll(/[\s\p{C}]+/gu, " ")
    .slice(0, longestTextCharacters);
  const found = `Cannot ${what}: ${text}`;
  if (code === "ETLS") return new GatewayError("platform_unavailable", found, { userAction: encryptionAction });
  if (typeof responseCode === "number" && responseCode >= 400)
    return errorOfReply({ status: responseCode, text, found, command: String(command) });
  if (code === "EMESSAGE") return new GatewayError("too_large", found);
  if (code === "ENOAUTH" || code === "EAUTH")
    return new GatewayError("unauthorized", found, { userAction: smtpLoginAction });
  // Whoever sends it again may say it twice.
  if (isWritten) return new GatewayError("timeout", `${found}, after the mail was written: it may have been sent`);
  return new GatewayError("platform_unavailable", found);
}

type Reply = { readonly status: number; readonly text: string; readonly found: string; readonly command: string };

function errorOfReply(reply: Reply): GatewayError {
  const { status, text, found } = reply;
  if (status < 500 || status === 503) {
    const waitMs = waitNamedIn(text);
    if (waitMs === null && !asksToWait.test(text)) return new GatewayError("platform_unavailable", found);
    return new GatewayError("rate_limited", found, { retry: { kind: "after", delayMs: waitMs ?? defaultWaitMs } });
  }
  const code = codeOfRefusal(reply);
  const userAction = userActions[code];
  return new GatewayError(code, found, userAction === undefined ? {} : { userAction });
}

/** 4.7.x is policy, which is how servers call rates and greylists. */
const asksToWait = /\b4\.7\.\d{1,3}\b|rate|throttl|too many|greylist|later/iu;

const userActions: Readonly<Partial<Record<ErrorCode, string>>> = {
  unauthorized: smtpLoginAction,
  forbidden: "Allow this adapter's from_address to send on the SMTP server, or set another one",
};

function codeOfRefusal({ status, text, command }: Reply): ErrorCode {
  const detail = /\b5\.(\d)\.(\d{1,3})\b/u.exec(text);
  const [, subject = "", number = ""] = detail ?? [];
  if ((status >= 530 && status <= 538) || command.startsWith("AUTH")) return "unauthorized";
  if (subject === "3" && number === "4") return "too_large";
  if (subject === "2" && number === "3") return "too_large";
  // It is about us, not about who it is for.
  if (command === "MAIL FROM") return status === 552 ? "too_large" : "forbidden";
  if (subject === "1" || (detail === null && command === "RCPT TO" && status === 550)) return "not_found";
  return "message_rejected";
}
