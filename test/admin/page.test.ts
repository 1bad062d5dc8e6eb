import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Browser, BrowserContextOptions } from "playwright-core";
import { createMetrics } from "../../src/admin/metrics.ts";
import { startAdminServer, type AdminServer } from "../../src/admin/server.ts";
import { browserSkipReason, freshPage, launchBrowser, type FreshPage } from "../support/browser.ts";
import { adapterStatus, FakeControl, gatewayStatus } from "../support/fake-control.ts";
import { silentLogger } from "../support/silent-logger.ts";

const token = "secret-".repeat(6);

type Visit = Pick<FreshPage, "page" | "problems"> & {
  readonly control: FakeControl;
  readonly server: AdminServer;
  [Symbol.asyncDispose](): Promise<void>;
};

function start(control: FakeControl): Promise<AdminServer> {
  return startAdminServer({
    listen: { kind: "tcp", host: "127.0.0.1", port: 0 },
    token,
    control,
    logger: silentLogger,
    metrics: createMetrics(control),
  });
}

describe("the page's files", () => {
  let server: AdminServer;
  before(async () => {
    server = await start(new FakeControl());
  });
  after(() => server[Symbol.asyncDispose]());

  it("need no token, hold nothing to hide, and may not be framed or extended", async () => {
    const answer = await fetch(`${server.url}/`);
    assert.equal(answer.status, 200);
    assert.match(answer.headers.get("content-type") ?? "", /^text\/html/);
    const policy = answer.headers.get("content-security-policy") ?? "";
    for (const part of ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"])
      assert.ok(policy.includes(part), policy);
    assert.ok(!(await answer.text()).includes(token));
  });

  it("are there, each of them, and are answered with 304 to a browser that has them", async () => {
    const html = await (await fetch(`${server.url}/`)).text();
    const named = [...html.matchAll(/(?:src|href)="([^"]+)"/gu)].map((match) => match[1] ?? "");
    assert.ok(named.includes("app.js") && named.includes("style.css"), named.join(" "));
    for (const name of new Set(named)) {
      const first = await fetch(`${server.url}/${name}`);
      assert.equal(first.status, 200, name);
      await first.bytes();
      const again = await fetch(`${server.url}/${name}`, {
        headers: { "If-None-Match": first.headers.get("etag") ?? "" },
      });
      assert.equal(again.status, 304, name);
    }
  });

  it("open nothing else", async () => {
    for (const path of ["/v1/status", "/metrics", "/page/", "/app.ts", "/../admin.token"])
      assert.equal((await fetch(server.url + path)).status, 401, path);
    assert.equal((await fetch(`${server.url}/`, { method: "POST" })).status, 405);
  });
});

describe("the page", { skip: browserSkipReason }, () => {
  let browser: Browser;
  before(async () => {
    browser = await launchBrowser();
  });
  after(async () => {
    await browser?.close();
  });

  async function visit(control = new FakeControl(), options: BrowserContextOptions = {}): Promise<Visit> {
    const server = await start(control);
    // The first request goes out without a token.
    const { context, page, problems } = await freshPage(browser, { ...options, expected: "401" });
    await page.goto(`${server.url}/`);
    return {
      page,
      control,
      server,
      problems,
      [Symbol.asyncDispose]: async () => {
        await context.close();
        await server[Symbol.asyncDispose]();
      },
    };
  }

  async function enter({ page }: Visit, text = token): Promise<void> {
    await page.getByRole("textbox", { name: "Token" }).fill(text);
    await page.keyboard.press("Enter");
  }

  async function online({ page }: Visit): Promise<void> {
    await page.locator("#connection[data-state=online]").waitFor();
  }

  /** Resolves with what was asked of the gateway first after now. */
  async function order({ page, control }: Visit, path: string, press: () => Promise<void>): Promise<unknown> {
    control.calls.splice(0);
    const answered = page.waitForResponse((response) => response.url().includes(path));
    await press();
    await answered;
    return control.calls.find(([name]) => !["deadLetters", "history", "events"].includes(name));
  }

  const row = ({ page }: Visit, table: string, key: string) => page.locator(`#${table} tr[data-key="${key}"]`);

  it("asks for the token, again when it is wrong, and keeps it out of the address", async () => {
    await using visitor = await visit();
    const { page } = visitor;
    await page.locator("#access[open]").waitFor();
    await enter(visitor, "wrong");
    await page.locator("#connection[data-state=denied]").waitFor();
    await page.locator("#access[open]").waitFor();
    await enter(visitor);
    await online(visitor);
    await row(visitor, "adapters", "webhook").waitFor();
    assert.ok(!page.url().includes("secret"));
    assert.equal(await page.evaluate<number>("localStorage.length + document.cookie.length"), 0);
    await page.reload();
    await online(visitor);
    assert.deepEqual(visitor.problems, []);
  });

  it("says first what needs a person, why, and what to do", async () => {
    const control = new FakeControl();
    control.current = gatewayStatus({
      conditions: [
        { code: "journal_full", key: null, message: "2.0 GiB of 2.0 GiB", since: "2026-01-01T00:00:00.000Z" },
        { code: "spec_invalid", key: "twitch", message: "no token (line 3)", since: "2026-01-01T00:00:00.000Z" },
      ],
      adapters: [
        adapterStatus({ key: "webhook" }),
        adapterStatus({ key: "twitch", state: "invalid", reason: "spec_invalid", message: "no token" }),
        adapterStatus({
          key: "slack:ops",
          state: "needs_attention",
          reason: "bad_credentials",
          message: "Slack refused the token",
          userAction: "Put a valid bot_token into the config",
        }),
      ],
    });
    await using visitor = await visit(control);
    await enter(visitor);
    await online(visitor);
    const lines = await visitor.page.locator("#trouble li").allTextContents();
    assert.deepEqual(lines, [
      "journal_full: 2.0 GiB of 2.0 GiB",
      "twitch is invalid: no token (line 3)",
      "slack:ops is needs_attention: Slack refused the token. Put a valid bot_token into the config",
    ]);
    assert.equal(
      await row(visitor, "adapters", "slack:ops").locator("td").nth(1).textContent(),
      "needs_attention (bad_credentials)",
    );
    control.current = gatewayStatus();
    await visitor.page.locator("#trouble li", { hasText: "Nothing." }).waitFor();
    assert.deepEqual(visitor.problems, []);
  });

  it("says why an adapter has a host of its own, and takes it back", async () => {
    const control = new FakeControl();
    control.current = gatewayStatus({
      hosts: [
        {
          pid: 77,
          kind: "own",
          rssBytes: 50_000_000,
          keys: ["webhook"],
          restarts: 2,
          quarantineReason: "It was starting at two deaths of its host",
        },
      ],
    });
    await using visitor = await visit(control);
    await enter(visitor);
    const host = row(visitor, "hosts", "77");
    await host.getByText("It was starting at two deaths of its host").waitFor();
    await visitor.page.getByRole("button", { name: "webhook", exact: true }).click();
    await visitor.page.locator("#detail-facts", { hasText: "It was starting at two deaths" }).waitFor();
    const asked = await order(visitor, "/restart", () =>
      visitor.page.getByRole("button", { name: "Back into the shared host" }).click(),
    );
    assert.deepEqual(asked, ["restart", "webhook", { shared: true }]);
    assert.deepEqual(visitor.problems, []);
  });

  it("restarts, pauses and resumes the adapter that is chosen, by keyboard alone", async () => {
    await using visitor = await visit();
    const { page } = visitor;
    await enter(visitor);
    await page.getByRole("button", { name: "webhook", exact: true }).focus();
    await page.keyboard.press("Enter");
    await page.locator("#detail-title", { hasText: "webhook" }).waitFor();
    for (const [name, expected] of [
      ["Restart", ["restart", "webhook", { shared: false }]],
      ["Pause", ["pause", "webhook"]],
      ["Resume", ["resume", "webhook"]],
    ] as const) {
      await page.getByRole("button", { name, exact: true }).focus();
      const asked = await order(visitor, name.toLowerCase(), () => page.keyboard.press("Space"));
      assert.deepEqual(asked, expected);
      await page.locator("#done", { hasText: "webhook" }).waitFor();
    }
    assert.deepEqual(visitor.problems, []);
  });

  it("shows a refused order and a refused config with every error", async () => {
    const control = new FakeControl();
    await using visitor = await visit(control);
    const { page } = visitor;
    await enter(visitor);
    await online(visitor);
    control.reloadReport = {
      ok: false,
      errors: [
        { path: "admin.listen", line: 3, message: "found 1, expected host:port" },
        { path: "", line: null, message: "no consumer" },
      ],
    };
    await order(visitor, "/v1/reload", () => page.getByRole("button", { name: "Reload now" }).click());
    await page.locator("#problem", { hasText: "found 1, expected host:port" }).waitFor();
    assert.deepEqual((await page.locator("#plan-lines li").allTextContents()).slice(0, 2), [
      "line 3: admin.listen: found 1, expected host:port",
      "no consumer",
    ]);
  });

  it("shows text of others as text", async () => {
    const control = new FakeControl();
    const hostile = `<img src=x onerror="document.title='taken'"><script>document.title='taken'</script>`;
    control.current = gatewayStatus({
      adapters: [adapterStatus({ key: "webhook", state: "backing_off", reason: "crashed", message: hostile })],
    });
    await using visitor = await visit(control);
    await enter(visitor);
    await visitor.page.locator("#trouble li", { hasText: hostile }).waitFor();
    await control.subscribed.promise;
    control.ring.publish("message", {
      adapter: "webhook",
      conversation: "room",
      sender: { id: hostile, name: null },
      text: hostile,
      acceptedAt: "2026-01-01T00:00:00.000Z",
    });
    await visitor.page.locator("#events li", { hasText: hostile }).waitFor();
    assert.equal(await visitor.page.title(), "Bulkhead");
    assert.equal(await visitor.page.locator("main img").count(), 0);
    assert.deepEqual(visitor.problems, []);
  });

  it("shows a change of state at once, and says when the gateway is gone", async () => {
    await using visitor = await visit();
    const { page, control, server } = visitor;
    await enter(visitor);
    await control.subscribed.promise;
    control.ring.publish("state", {
      key: "webhook",
      at: "2026-01-01T00:00:00.000Z",
      state: "backing_off",
      reason: "hung",
      message: "No sign of life",
      generation: 2,
    });
    await page.locator("#events li", { hasText: "webhook backing_off (hung): No sign of life" }).waitFor();
    await server[Symbol.asyncDispose]();
    await page.locator("#connection[data-state=offline]").waitFor();
  });

  it("retries and drops dead letters", async () => {
    await using visitor = await visit();
    const { page, control } = visitor;
    control.current = gatewayStatus({ journal: { ...gatewayStatus().journal, dead: 1 } });
    await enter(visitor);
    const letter = row(visitor, "dead", "m1");
    await letter.getByText("boom").waitFor();
    assert.deepEqual(await order(visitor, "/retry", () => letter.getByRole("button", { name: "Retry" }).click()), [
      "retryDeadLetter",
      "m1",
    ]);
    page.once("dialog", (dialog) => void dialog.accept());
    assert.deepEqual(
      await order(visitor, "/v1/dead-letters/m1", () => letter.getByRole("button", { name: "Drop" }).click()),
      ["dropDeadLetter", "m1"],
    );
    assert.deepEqual(visitor.problems, []);
  });

  it("fits a phone, each cell with its name", async () => {
    await using visitor = await visit(new FakeControl(), { viewport: { width: 360, height: 740 } });
    await enter(visitor);
    await row(visitor, "adapters", "webhook").waitFor();
    const isWide = await visitor.page.evaluate<boolean>(
      "document.documentElement.scrollWidth > document.documentElement.clientWidth",
    );
    assert.ok(!isWide, "nothing is wider than the screen");
    const label = await visitor.page.evaluate<string>(
      `getComputedStyle(document.querySelector("#adapters tbody td:nth-child(2)"), "::before").content`,
    );
    assert.equal(label, '"State"');
  });
});
