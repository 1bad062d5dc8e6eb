/** A request's body, JSON or a form with files. */
import type { IncomingMessage } from "node:http";
import { fieldsOf, type Fields } from "./fields.ts";
import type { Upload } from "./message-rules.ts";
import { Refusal } from "./refusal.ts";

/** Parsed; `list` for a JSON array. */
export type RequestBody = {
  readonly fields: Fields;
  readonly list: readonly Fields[] | null;
  readonly uploads: readonly Upload[];
};

/** @throws {Refusal} for what is neither. */
export async function readRequestBody(request: IncomingMessage): Promise<RequestBody> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  const contentType = request.headers["content-type"] ?? "";
  if (bytes.length === 0) return { fields: {}, list: null, uploads: [] };
  if (contentType.startsWith("multipart/form-data")) return readForm(bytes, contentType);
  if (!contentType.startsWith("application/json"))
    throw new Refusal(400, 50_035, `Expected "Content-Type" header to be one of {'application/json'}.`);
  return toBody(parse(bytes.toString("utf8")), []);
}

async function readForm(bytes: Buffer, contentType: string): Promise<RequestBody> {
  const form = await new Response(bytes, { headers: { "content-type": contentType } }).formData();
  const uploads: Upload[] = [];
  let payload: unknown = {};
  for (const [key, value] of form.entries())
    if (typeof value === "string") payload = key === "payload_json" ? parse(value) : payload;
    else {
      if (!/^files\[\d+\]$/u.test(key)) throw new Refusal(400, 50_046, "Invalid file uploaded");
      uploads.push({ name: value.name, contentType: value.type, bytes: Buffer.from(await value.arrayBuffer()) });
    }
  return toBody(payload, uploads);
}

function toBody(value: unknown, uploads: readonly Upload[]): RequestBody {
  return { fields: fieldsOf(value), list: Array.isArray(value) ? value.map(fieldsOf) : null, uploads };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Refusal(400, 50_109, "The request body contains invalid JSON.");
  }
}
