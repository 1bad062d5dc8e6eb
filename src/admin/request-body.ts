/** What a request carries, parsed once at the edge. */
import type { Context, MiddlewareHandler } from "hono";
import { z } from "zod";
import { GatewayError } from "../contract/errors.ts";
import { parseResponse, type Response } from "../contract/response.ts";
import { RequestFieldError } from "./error-answer.ts";

const maxBodyBytes = 1024 * 1024;
const idempotencyKey = z.string().min(1).max(512).optional();
const respondBody = z.strictObject({
  text: z.string().optional(),
  response: z.unknown().optional(),
  idempotencyKey,
});
const sendBody = respondBody.extend({ target: z.string().min(1).max(1100) });

/** `POST /v1/messages/{id}/respond`, parsed. */
export type RespondRequest = { readonly response: Response; readonly idempotencyKey: string | null };
/** `POST /v1/send`, parsed. */
export type SendRequest = RespondRequest & { readonly target: string };

/** 413 to a body that is announced as larger than 1 MiB; one that comes unannounced is counted by {@link readText}. */
export const guardBodySize: MiddlewareHandler = (context, next) => {
  if (Number(context.req.header("content-length") ?? 0) > maxBodyBytes) throw tooLarge();
  return next();
};

/** The body as text. @throws {GatewayError} `too_large` over 1 MiB, `invalid_request` when it is no UTF-8. */
export async function readText(context: Context): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of context.req.raw.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > maxBodyBytes) throw tooLarge();
    chunks.push(chunk);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks, bytes));
  } catch (reason) {
    throw new GatewayError("invalid_request", "Cannot read the body: it is no UTF-8", { cause: reason });
  }
}

/** @throws {GatewayError} `invalid_request` naming the field. */
export async function readSend(context: Context): Promise<SendRequest> {
  const body = parse(sendBody, await readJson(context));
  return { target: body.target, ...readResponse(body) };
}

/** @throws {GatewayError} `invalid_request` naming the field. */
export async function readRespond(context: Context): Promise<RespondRequest> {
  return readResponse(parse(respondBody, await readJson(context)));
}

/** A whole number in a query parameter; `fallback` where it is left out. @throws {GatewayError} `invalid_request`. */
export function readCount(context: Context, name: string, options: { fallback: number; maximum: number }): number {
  const text = context.req.query(name);
  if (text === undefined) return options.fallback;
  const value = Number(text);
  if (/^\d{1,15}$/.test(text) && value <= options.maximum) return value;
  throw new RequestFieldError(
    name,
    `Cannot read the query: ${name} is ${JSON.stringify(text.slice(0, 50))}, expected a number from 0 to ${options.maximum}`,
  );
}

function readResponse(body: z.output<typeof respondBody>): RespondRequest {
  const { text, response } = body;
  if ((text === undefined) === (response === undefined))
    throw new RequestFieldError(
      "text",
      `Cannot send: found ${text === undefined ? "neither text nor response" : "both text and response"}, expected one of them`,
    );
  return {
    response: parseResponse(text === undefined ? response : { kind: "text", text }),
    idempotencyKey: body.idempotencyKey ?? null,
  };
}

async function readJson(context: Context): Promise<unknown> {
  const text = await readText(context);
  try {
    return JSON.parse(text);
  } catch (reason) {
    throw new GatewayError("invalid_request", "Cannot read the body: it is no JSON, expected a JSON object", {
      cause: reason,
    });
  }
}

function tooLarge(): GatewayError {
  return new GatewayError("too_large", `Cannot read the body: it is larger than ${maxBodyBytes} bytes`);
}

function parse<Output>(schema: z.ZodType<Output>, value: unknown): Output {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const first = parsed.error.issues[0];
  throw new RequestFieldError(
    first?.path.map(String).join(".") ?? "",
    `Cannot read the body: ${parsed.error.issues.map(describeIssue).join("; ")}`,
  );
}

function describeIssue(issue: z.core.$ZodIssue): string {
  return issue.path.length === 0 ? issue.message : `${issue.path.map(String).join(".")}: ${issue.message}`;
}
