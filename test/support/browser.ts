/** A real browser for the pages. Left out, with a reason, on a machine that has none; never left out in CI. */
import { existsSync } from "node:fs";
import { chromium, type Browser, type BrowserContext, type BrowserContextOptions, type Page } from "playwright-core";

const executablePath = process.env["BULKHEAD_CHROMIUM"] ?? "/usr/bin/chromium";

/** `false`: there is a browser. Else why the tests that need one are skipped. */
export const browserSkipReason: string | false =
  existsSync(executablePath) || process.env["CI"] === "true" ? false : `there is no browser at ${executablePath}`;

/** A headless browser with a profile of its own; the caller closes it. */
export async function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath,
    headless: true,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/** One page of a browser of its own, with nothing stored; the caller closes the context. */
export type FreshPage = {
  readonly context: BrowserContext;
  readonly page: Page;
  /** What went wrong in the page: exceptions and everything the content policy refused. */
  readonly problems: string[];
};

/** `expected`: a part of what the console may say as an error. */
export async function freshPage(
  browser: Browser,
  { expected, ...options }: BrowserContextOptions & { readonly expected: string },
): Promise<FreshPage> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error" && !message.text().includes(expected)) problems.push(message.text());
  });
  return { context, page, problems };
}
