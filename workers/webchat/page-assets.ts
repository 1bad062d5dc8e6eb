/** The page's files, read once, with the headers that keep everything foreign out. */
import { hash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { answerFailure } from "../../src/support/http-answer.ts";

type Asset = { readonly bytes: Buffer; readonly etag: string; readonly headers: readonly string[] };

const files: Readonly<Record<string, string>> = {
  "index.html": "text/html; charset=utf-8",
  "style.css": "text/css; charset=utf-8",
  "messages.css": "text/css; charset=utf-8",
  "icon.svg": "image/svg+xml",
  "app.js": "text/javascript; charset=utf-8",
  "connection.js": "text/javascript; charset=utf-8",
  "links.js": "text/javascript; charset=utf-8",
  "message-view.js": "text/javascript; charset=utf-8",
  "store.js": "text/javascript; charset=utf-8",
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

/** All files of the page. */
export class PageAssets {
  readonly #assets: ReadonlyMap<string, Asset>;

  private constructor(assets: ReadonlyMap<string, Asset>) {
    this.#assets = assets;
  }

  /** Reads the files beside this module and puts the title in. */
  static async load(title: string): Promise<PageAssets> {
    const assets = new Map<string, Asset>();
    for (const [name, contentType] of Object.entries(files)) {
      const bytes = await readFile(new URL(`./page/${name}`, import.meta.url));
      const asset = makeAsset(name === "index.html" ? withTitle(bytes, title) : bytes, contentType);
      assets.set(`/${name}`, asset);
      if (name === "index.html") assets.set("/", asset);
    }
    return new PageAssets(assets);
  }

  /** Answers a request for `path`: the file, 304, 404 or 405. */
  answer(path: string, request: IncomingMessage, response: ServerResponse): void {
    const asset = this.#assets.get(path);
    if (asset === undefined) {
      answerFailure(response, { status: 404, code: "not_found", message: "Cannot find this path" });
      return;
    }
    if (request.method !== "GET" && request.method !== "HEAD") {
      const message = `Cannot use ${request.method}: wanted GET, HEAD`;
      answerFailure(response, { status: 405, code: "invalid_request", message, allow: "GET, HEAD" });
      return;
    }
    const isKnown = request.headers["if-none-match"] === asset.etag;
    response.writeHead(isKnown ? 304 : 200, [...asset.headers]);
    if (isKnown || request.method === "HEAD") response.end();
    else response.end(asset.bytes);
  }
}

function makeAsset(bytes: Buffer, contentType: string): Asset {
  const etag = `"${hash("sha256", bytes).slice(0, 32)}"`;
  const headers = [
    "Content-Type",
    contentType,
    "Content-Length",
    String(bytes.length),
    "ETag",
    etag,
    // Asked for again each time, so that page and server are always of one version.
    "Cache-Control",
    "no-cache",
    "Content-Security-Policy",
    contentSecurityPolicy,
    "X-Content-Type-Options",
    "nosniff",
    "Referrer-Policy",
    "no-referrer",
    "Permissions-Policy",
    "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy",
    "same-origin",
    "Cross-Origin-Resource-Policy",
    "same-origin",
  ];
  return { bytes, etag, headers };
}

function withTitle(html: Buffer, title: string): Buffer {
  // A function, because `$` in a replacement text means something.
  return Buffer.from(html.toString("utf8").replaceAll("{{title}}", () => escapeHtml(title)));
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
