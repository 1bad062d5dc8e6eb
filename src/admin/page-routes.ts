/** The page at `/`: files without any data in them, so they need no token. What they show is asked for with one. */
import { Hono, type Context } from "hono";
import { readPage, type PageFile } from "../support/page-files.ts";

const names = [
  "index.html",
  "style.css",
  "tables.css",
  "icon.svg",
  "app.js",
  "dead-letters-view.js",
  "detail-view.js",
  "elements.js",
  "events-view.js",
  "format.js",
  "gateway-client.js",
  "plan-view.js",
  "status-view.js",
];

/** The page's files by path, read from beside this module. */
export function readAdminPage(): Promise<ReadonlyMap<string, PageFile>> {
  return readPage({ directory: new URL("./page/", import.meta.url), names });
}

/** A route for each file; each answers 304 to a browser that has it. */
export function pageRoutes(files: ReadonlyMap<string, PageFile>): Hono {
  const app = new Hono();
  for (const [path, file] of files) app.get(path, (context) => answer(context, file));
  return app;
}

function answer(context: Context, file: PageFile): Response {
  const isKnown = context.req.header("if-none-match") === file.etag;
  return isKnown
    ? context.body(null, 304, { ...file.headers })
    : context.body(new Uint8Array(file.bytes), 200, { ...file.headers });
}
