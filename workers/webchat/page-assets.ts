/** The page's files as answers to Node's HTTP server. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { answerFailure } from "../../src/support/http-answer.ts";
import { readPage, type PageFile } from "../../src/support/page-files.ts";

const names = [
  "index.html",
  "style.css",
  "messages.css",
  "icon.svg",
  "app.js",
  "connection.js",
  "links.js",
  "message-view.js",
  "store.js",
];

/** All files of the page. */
export class PageAssets {
  readonly #files: ReadonlyMap<string, PageFile>;

  private constructor(files: ReadonlyMap<string, PageFile>) {
    this.#files = files;
  }

  /** Reads the files beside this module and puts the title in. */
  static async load(title: string): Promise<PageAssets> {
    return new PageAssets(await readPage({ directory: new URL("./page/", import.meta.url), names, texts: { title } }));
  }

  /** Answers a request for `path`: the file, 304, 404 or 405. */
  answer(path: string, request: IncomingMessage, response: ServerResponse): void {
    const file = this.#files.get(path);
    if (file === undefined) {
      answerFailure(response, { status: 404, code: "not_found", message: "Cannot find this path" });
      return;
    }
    if (request.method !== "GET" && request.method !== "HEAD") {
      const message = `Cannot use ${request.method}: wanted GET, HEAD`;
      answerFailure(response, { status: 405, code: "invalid_request", message, allow: "GET, HEAD" });
      return;
    }
    const isKnown = request.headers["if-none-match"] === file.etag;
    response.writeHead(isKnown ? 304 : 200, { ...file.headers });
    if (isKnown || request.method === "HEAD") response.end();
    else response.end(file.bytes);
  }
}
