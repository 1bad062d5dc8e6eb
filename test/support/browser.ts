/** A real browser for the pages. Left out, with a reason, on a machine that has none; never left out in CI. */
import { existsSync } from "node:fs";
import { chromium, type Browser } from "playwright-core";

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
