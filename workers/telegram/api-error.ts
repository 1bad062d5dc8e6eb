/** What Telegram and the way to it answer when a call fails, as our errors. No error here holds the address of a call: the token is part of it. */
import { GrammyError, HttpError } from "grammy";
import { type ErrorCode, GatewayError, type Retry } from "../../src/contract/errors.ts";

/** The platform's own words beside our code. https://core.telegram.org/bots/api#making-requests */
export class TelegramError extends GatewayError {
  /** Telegram's status, 0 where there was no answer of it. */
  readonly status: number;
  readonly description: string;
  /** The supergroup that the group has become; `null`: it has become none. */
  readonly migratedTo: string | null;

  constructor(
    code: ErrorCode,
    message: string,
    details: {
      readonly status: number;
      readonly description: string;
      readonly migratedTo?: string | null;
      readonly retry?: Retry | undefined;
      readonly userAction?: string | null;
    },
  ) {
    super(code, message, {
      ...(details.retry === undefined ? {} : { retry: details.retry }),
      userAction: details.userAction ?? null,
    });
    this.status = details.status;
    this.description = details.description;
    this.migratedTo = details.migratedTo ?? null;
  }

  /** Telegram could not read our formatting: the same without it may pass. */
  get isUnreadableMarkup(): boolean {
    return this.status === 400 && /can't parse|can't find end|unsupported start tag/iu.test(this.description);
  }

  /** An edit that would change nothing. */
  get isNotModified(): boolean {
    return this.status === 400 && this.description.includes("message is not modified");
  }
}

/** What a failed call was. */
export type FailedCall = {
  readonly method: string;
  readonly token: string;
  /** Doing it twice shows: an answer that was lost is not asked for again. */
  readonly isVisible: boolean;
};

/** What a person does about a refused token. */
export const tokenAction =
  "Get the bot's token from @BotFather, put it into the config as messaging.telegram's token, then reload";

/** The error of one failed call. */
export function errorOfCall(reason: unknown, call: FailedCall): TelegramError {
  if (reason instanceof GrammyError) return errorOfAnswer(reason, call);
  return errorOfTransport(reason instanceof HttpError ? reason.error : reason, call);
}

type Verdict = { readonly code: ErrorCode; readonly retry?: Retry; readonly userAction?: string };

function errorOfAnswer(answer: GrammyError, call: FailedCall): TelegramError {
  const status = Number.isInteger(answer.error_code) ? answer.error_code : 0;
  const description = withoutToken(answer.description ?? "no description", call.token).slice(0, 500);
  const parameters = typeof answer.parameters === "object" ? answer.parameters : {};
  const { code, retry, userAction } = verdictOf(status, description, parameters.retry_after);
  const migratedTo = typeof parameters.migrate_to_chat_id === "number" ? String(parameters.migrate_to_chat_id) : null;
  return new TelegramError(code, `Cannot call ${call.method}: ${status} ${description}`, {
    status,
    description,
    migratedTo,
    retry,
    userAction: userAction ?? null,
  });
}

function verdictOf(status: number, description: string, retryAfterSeconds: unknown): Verdict {
  // A token that Telegram cannot even read is answered with 404.
  if (status === 401 || (status === 404 && /^not found$/iu.test(description)))
    return { code: "unauthorized", userAction: tokenAction };
  if (status === 400) return { code: codeOfBadRequest(description) };
  if (status === 403)
    return { code: "forbidden", userAction: "Add the bot to the chat, or have the person unblock it and write to it" };
  if (status === 404) return { code: "not_found" };
  if (status === 409) return { code: "conflict", retry: { kind: "backoff" } };
  if (status === 413) return { code: "too_large" };
  if (status === 429) {
    const seconds = typeof retryAfterSeconds === "number" && retryAfterSeconds > 0 ? retryAfterSeconds : 1;
    return { code: "rate_limited", retry: { kind: "after", delayMs: Math.ceil(seconds * 1000) } };
  }
  return { code: status >= 400 && status < 500 ? "message_rejected" : "platform_unavailable" };
}

const badRequests: readonly (readonly [RegExp, ErrorCode])[] = [
  [/chat not found|user not found|chat_id_invalid|peer_id_invalid|channel_invalid/iu, "not_found"],
  [
    /message to \w+(?: \w+)? not found|message thread not found|message_id_invalid|topic_(?:deleted|closed)/iu,
    "not_found",
  ],
  [/wrong file_id|invalid file_id|wrong remote file|file_reference|temporarily unavailable file/iu, "not_found"],
  [/file is too big|too big|request entity too large/iu, "too_large"],
  [
    /not enough rights|have no rights|need administrator rights|write_forbidden|_forbidden|restricted|chat_admin_required/iu,
    "forbidden",
  ],
];

function codeOfBadRequest(description: string): ErrorCode {
  return badRequests.find(([pattern]) => pattern.test(description))?.[1] ?? "message_rejected";
}

/** Nothing had been sent when these came. */
const neverSent: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENETDOWN",
  "CERT_HAS_EXPIRED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "ERR_TLS_CERT_ALTNAME_INVALID",
]);

function errorOfTransport(reason: unknown, { method, isVisible }: FailedCall): TelegramError {
  const { name, type, code } = fieldsOf(reason);
  if (type === "invalid-json" || name === "SyntaxError" || name === "TypeError")
    return transportError("platform_unavailable", method, "the answer is not of the Bot API's form");
  if (code !== null && neverSent.has(code)) return transportError("platform_unavailable", method, code);
  const found = `the connection was lost before the answer${code === null ? "" : ` (${code})`}`;
  // Telegram knows no idempotency key: whoever asks again may say it twice.
  if (isVisible) return transportError("timeout", method, `${found}, so it may have been done`);
  return transportError("platform_unavailable", method, found);
}

/** The end of a call's time. */
export function deadlineError(method: string, deadlineMs: number): TelegramError {
  return transportError("timeout", method, `no answer within ${deadlineMs} ms`);
}

function transportError(code: ErrorCode, method: string, found: string): TelegramError {
  return new TelegramError(code, `Cannot call ${method}: ${found}`, { status: 0, description: "" });
}

/** Never the message: node-fetch writes the whole address into it. */
function fieldsOf(reason: unknown): { readonly name: string; readonly type: string; readonly code: string | null } {
  if (typeof reason !== "object" || reason === null) return { name: "", type: "", code: null };
  const { name, type, code } = reason as Readonly<Record<string, unknown>>;
  return {
    name: typeof name === "string" ? name : "",
    type: typeof type === "string" ? type : "",
    code: typeof code === "string" && /^[A-Z][A-Z0-9_]{2,40}$/u.test(code) ? code : null,
  };
}

/** `text` without the token, whichever way it is written in an address. */
export function withoutToken(text: string, token: string): string {
  if (token === "") return text;
  return text.replaceAll(token, "[token]").replaceAll(encodeURIComponent(token), "[token]");
}
