/** The files of a web page of ours, read once, with the headers that keep everything foreign out. */
import { hash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { extname } from "node:path";

/** One file as it is answered. `headers` are all it needs, its length and `ETag` among them. */
export type PageFile = {
  readonly bytes: Buffer;
  readonly etag: string;
  readonly headers: Readonly<Record<string, string>>;
};

const contentTypes: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".js": "text/javascript; charset=utf-8",
};

const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

/** What {@link readPage} reads. */
export type PageOptions = {
  /** Where the files are; ends with `/`. */
  readonly directory: URL;
  readonly names: readonly string[];
  /** In `index.html`, `{{name}}` becomes the text, escaped. @default {} */
  readonly texts?: Readonly<Record<string, string>>;
};

/** The files by request path: `/style.css`, and `/` for `index.html`. Rejects when one cannot be read. */
export async function readPage({ directory, names, texts = {} }: PageOptions): Promise<ReadonlyMap<string, PageFile>> {
  const files = new Map<string, PageFile>();
  for (const name of names) {
    const bytes = await readFile(new URL(name, directory));
    const file = makeFile(name === "index.html" ? withTexts(bytes, texts) : bytes, contentTypes[extname(name)]);
    files.set(`/${name}`, file);
    if (name === "index.html") files.set("/", file);
  }
  return files;
}

function makeFile(bytes: Buffer, contentType = "application/octet-stream"): PageFile {
  const etag = `"${hash("sha256", bytes).slice(0, 32)}"`;
  return {
    bytes,
    etag,
    headers: {
      "Content-Type": contentType,
      "Content-Length": String(bytes.length),
      ETag: etag,
      // Asked for again each time, so that page and server are always of one version.
      "Cache-Control": "no-cache",
      "Content-Security-Policy": contentSecurityPolicy,
      "X-Content-Type-Options": "nosniff",
      "Referrer-Policy": "no-referrer",
      "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
      "Cross-Origin-Opener-Policy": "same-origin",
      "Cross-Origin-Resource-Policy": "same-origin",
    },
  };
}

function withTexts(html: Buffer, texts: Readonly<Record<string, string>>): Buffer {
  // A function, because `$` in a replacement text means something.
  return Buffer.from(
    html.toString("utf8").replaceAll(/\{\{(\w+)\}\}/gu, (place, name: string) => escapeHtml(texts[name] ?? place)),
  );
}

function escapeHtml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return text.replace(/[&<>"']/gu, (character) => entities[character] ?? character);
}
