/** The parameters of one call, whichever of the three ways they came: JSON, a form, or a form with files. */
import type { IncomingMessage } from "node:http";

/** A file that was sent along. */
export type UploadedFile = { readonly filename: string; readonly bytes: Buffer };

/** Everything that a call brought. */
export class RequestFields {
  readonly values: Readonly<Record<string, unknown>>;
  readonly #files: ReadonlyMap<string, UploadedFile>;

  constructor(values: Readonly<Record<string, unknown>>, files: ReadonlyMap<string, UploadedFile> = new Map()) {
    this.values = values;
    this.#files = files;
  }

  /** Text, also of a number; `""`: it is not there. */
  text(name: string): string {
    const value = this.values[name];
    return typeof value === "string" || typeof value === "number" ? String(value) : "";
  }

  /** A whole number, also written as text; `null`: it is none. */
  number(name: string): number | null {
    const text = this.text(name);
    return /^-?\d+$/u.test(text) ? Number(text) : null;
  }

  boolean(name: string): boolean {
    return this.values[name] === true || this.values[name] === "true";
  }

  /** An object or list, also written as text; `undefined`: it is not there or no JSON. */
  json(name: string): unknown {
    const value = this.values[name];
    if (typeof value !== "string") return value;
    try {
      return JSON.parse(value);
    } catch {
      // The caller says that it is wrong.
      return undefined;
    }
  }

  /** The file that field `name` is, or that its `attach://` names. */
  file(name: string): UploadedFile | null {
    const text = this.text(name);
    return this.#files.get(text.startsWith("attach://") ? text.slice(9) : name) ?? null;
  }
}

/** Reads a request's body whole. `null`: it cannot be read. */
export async function readFields(request: IncomingMessage): Promise<RequestFields | null> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  const query = new URL(request.url ?? "/", "http://localhost").searchParams;
  const type = request.headers["content-type"] ?? "";
  if (body.length === 0) return new RequestFields(Object.fromEntries(query));
  if (type.startsWith("application/json")) return fromJson(body.toString("utf8"));
  if (type.startsWith("multipart/form-data")) return fromMultipart(body, /boundary=(.+)$/u.exec(type)?.[1] ?? "");
  return new RequestFields(Object.fromEntries(new URLSearchParams(body.toString("utf8"))));
}

function fromJson(text: string): RequestFields | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? new RequestFields(value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

function fromMultipart(body: Buffer, boundary: string): RequestFields {
  const values: Record<string, string> = {};
  const files = new Map<string, UploadedFile>();
  const delimiter = Buffer.from(`--${boundary}`);
  let start = body.indexOf(delimiter);
  while (start !== -1) {
    const next = body.indexOf(delimiter, start + delimiter.length);
    if (next === -1) break;
    const part = body.subarray(start + delimiter.length + 2, next - 2);
    const headEnd = part.indexOf("\r\n\r\n");
    const head = part.subarray(0, headEnd).toString("utf8");
    const content = part.subarray(headEnd + 4);
    const name = /name="([^"]*)"/iu.exec(head)?.[1] ?? "";
    const filename = /filename="?([^"\r\n;]*)"?/iu.exec(head)?.[1];
    if (filename === undefined) values[name] = content.toString("utf8");
    else files.set(name, { filename, bytes: Buffer.from(content) });
    start = next;
  }
  return new RequestFields(values, files);
}
