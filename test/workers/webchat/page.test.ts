import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import type { WebchatSettings } from "../../../src/contract/settings.ts";
import { GatewayError } from "../../../src/contract/errors.ts";
import type { MemoryMailbox } from "../../support/adapter-context.ts";
import { browserSkipReason, freshPage, launchBrowser, type FreshPage } from "../../support/browser.ts";
import { startWebchat, type RunningWebchat } from "../../support/webchat.ts";

type Visit = Pick<FreshPage, "page" | "problems"> & {
  readonly chat: RunningWebchat;
  readonly conversation: () => Promise<string>;
  [Symbol.asyncDispose](): Promise<void>;
};

/** Every message comes back with "echo: " before it. */
async function startEcho(
  settings: Partial<WebchatSettings> = {},
  options: { readonly mailbox?: MemoryMailbox } = {},
): Promise<RunningWebchat> {
  const known = new Set<string>();
  const chat = await startWebchat(
    { rateLimitPerSender: 0, ...settings },
    {
      ...options,
      emit: async ({ id, conversation, text }) => {
        if (!known.has(id)) chat.mailbox.put(conversation, `echo: ${text}`);
        known.add(id);
        return `m-${id}`;
      },
    },
  );
  return chat;
}

describe("web chat page", { skip: browserSkipReason }, () => {
  let browser: Browser;
  before(async () => {
    browser = await launchBrowser();
  });
  after(async () => {
    await browser?.close();
  });

  async function visit(chat: RunningWebchat, options: BrowserContextOptions = {}): Promise<Visit> {
    const { context, page, problems } = await freshPage(browser, { ...options, expected: "WebSocket" });
    await page.goto(chat.url);
    await online(page);
    return {
      page,
      chat,
      problems,
      conversation: () => page.evaluate<string>(`localStorage.getItem("chat:/:conversation")`),
      [Symbol.asyncDispose]: () => context.close(),
    };
  }

  async function online(page: Page): Promise<void> {
    await page.locator("#connection[data-state=online]").waitFor();
  }

  async function say(page: Page, text: string): Promise<void> {
    await page.getByRole("textbox", { name: "Message" }).fill(text);
    await page.keyboard.press("Enter");
  }

  function bubbles(page: Page): Promise<string[]> {
    return page.locator("#log .bubble").allTextContents();
  }

  async function shown(page: Page, text: string): Promise<void> {
    await page.locator("#log .bubble", { hasText: text }).first().waitFor();
  }

  it("sends, shows what became of it, and shows the answer", async () => {
    await using chat = await startEcho();
    await using visitor = await visit(chat);
    await say(visitor.page, "hello");
    await shown(visitor.page, "echo: hello");
    assert.deepEqual(await bubbles(visitor.page), ["hello", "echo: hello"]);
    await visitor.page.locator(".mine .note", { hasText: "Sent" }).waitFor();
    assert.deepEqual(visitor.problems, []);
  });

  it("is worked with the keyboard alone", async () => {
    await using chat = await startEcho();
    await using visitor = await visit(chat);
    const { page } = visitor;
    const focused = (): Promise<string> =>
      page.evaluate<string>("document.activeElement.id || document.activeElement.className");
    assert.equal(await focused(), "text");
    await page.keyboard.type("one");
    await page.keyboard.press("Shift+Enter");
    await page.keyboard.type("two");
    await page.keyboard.press("Enter");
    await shown(page, "echo: one");
    assert.deepEqual((await bubbles(page))[0], "one\ntwo");
    assert.equal(await focused(), "text");
    await page.keyboard.type("by button");
    await page.keyboard.press("Tab");
    assert.equal(await focused(), "send");
    await page.keyboard.press("Space");
    await shown(page, "echo: by button");
    const reached = new Set<string>();
    for (let index = 0; index < 6; index += 1) {
      await page.keyboard.press("Tab");
      reached.add(await focused());
    }
    for (const id of ["restart", "scroller", "text"])
      assert.ok(reached.has(id), `${id} is in ${[...reached].join(", ")}`);
  });

  it("loses and doubles nothing when the connection breaks mid-way", async () => {
    await using chat = await startEcho();
    await using visitor = await visit(chat);
    const { page } = visitor;
    const sentence = (index: number): string => `message number ${index}.`;
    for (let index = 0; index < 12; index += 1) {
      await say(page, sentence(index));
      // Cut at different moments: before, while and after a message is on its way.
      if (index % 3 === 1) chat.dropConnections();
      if (index % 4 === 3) await shown(page, `echo: ${sentence(index)}`);
    }
    for (let index = 0; index < 12; index += 1) await shown(page, `echo: ${sentence(index)}`);
    const expected = Array.from({ length: 12 }, (_, index) => sentence(index));
    const texts = await bubbles(page);
    assert.deepEqual(
      texts.filter((text) => !text.startsWith("echo")),
      expected,
    );
    assert.deepEqual(
      texts.filter((text) => text.startsWith("echo")),
      expected.map((text) => `echo: ${text}`),
    );
    await page.locator(".mine .note").nth(11).waitFor();
    await page.locator(".mine .note", { hasText: "Sending" }).waitFor({ state: "detached" });
    await page.locator(".note.failed").waitFor({ state: "detached" });
  });

  it("sends again what was on its way when the connection broke, under the same id", async () => {
    const attempts: string[] = [];
    const first = Promise.withResolvers<void>();
    const lostAnswer = Promise.withResolvers<string>();
    await using chat = await startWebchat(
      {},
      {
        emit: ({ id }) => {
          attempts.push(id);
          first.resolve();
          // The first answer comes too late: nobody knows whether it was taken.
          return attempts.length === 1 ? lostAnswer.promise : Promise.resolve(id);
        },
      },
    );
    await using visitor = await visit(chat);
    await say(visitor.page, "important");
    await first.promise;
    chat.dropConnections();
    await visitor.page.locator(".mine .note", { hasText: "Sent" }).waitFor();
    assert.equal(attempts.length, 2);
    assert.equal(attempts[0], attempts[1]);
    assert.deepEqual(await bubbles(visitor.page), ["important"]);
    lostAnswer.resolve("late");
  });

  it("says that it is cut off, keeps what is written meanwhile, and sends it to the next life of the server", async () => {
    const first = await startEcho();
    const port = Number(new URL(first.url).port);
    await using visitor = await visit(first);
    const { page } = visitor;
    await say(page, "before");
    await shown(page, "echo: before");
    await first.adapter.stop();
    await page.locator("#connection[data-state=offline]").waitFor();
    assert.match(String(await page.getByRole("status").first().textContent()), /Connection lost/u);
    await say(page, "meanwhile");
    await page.locator(".mine .note", { hasText: "Sending…" }).waitFor();
    await using _second = await startEcho({ port }, { mailbox: first.mailbox });
    await online(page);
    await shown(page, "echo: meanwhile");
    assert.deepEqual(await bubbles(page), ["before", "echo: before", "meanwhile", "echo: meanwhile"]);
  });

  it("has its history after a reload, and fetches what came in between", async () => {
    await using chat = await startEcho();
    await using visitor = await visit(chat);
    const { page } = visitor;
    await say(page, "hello");
    await shown(page, "echo: hello");
    const conversation = await visitor.conversation();
    await page.goto("about:blank");
    chat.mailbox.put(conversation, "while you were away");
    await page.goto(chat.url);
    await shown(page, "while you were away");
    assert.deepEqual(await bubbles(page), ["hello", "echo: hello", "while you were away"]);
    while (chat.mailbox.waiting(conversation).length > 0) await page.evaluate("0");
  });

  it("shows the same conversation in two tabs, everything once", async () => {
    await using chat = await startEcho();
    await using visitor = await visit(chat);
    const second = await visitor.page.context().newPage();
    await second.goto(chat.url);
    await online(second);
    await say(visitor.page, "from the first");
    await shown(second, "echo: from the first");
    await say(second, "from the second");
    for (const page of [visitor.page, second]) {
      await shown(page, "echo: from the second");
      await page.locator("#log .bubble").nth(3).waitFor();
      assert.equal(await page.locator("#log .bubble").count(), 4);
    }
  });

  it("shows a stream growing, and its end once, in the log", async () => {
    await using chat = await startEcho();
    await using visitor = await visit(chat);
    const { page } = visitor;
    const conversation = await visitor.conversation();
    chat.mailbox.put(conversation, { kind: "stream_start" });
    await page.locator("#typing").waitFor();
    await chat.chunk(conversation, "so");
    await page.locator("#stream .bubble", { hasText: "so" }).waitFor();
    await chat.chunk(conversation, "so far <b>good</b>");
    await page.locator("#stream .bubble", { hasText: "so far <b>good</b>" }).waitFor();
    assert.deepEqual(await bubbles(page), []);
    chat.mailbox.put(conversation, { kind: "stream_end", text: "so far so good" });
    await shown(page, "so far so good");
    assert.deepEqual(await bubbles(page), ["so far so good"]);
    assert.equal(await page.locator("#stream .bubble").count(), 0);
  });

  it("shows and tells that somebody is typing, until the answer or the end of it", async () => {
    await using chat = await startEcho();
    await using visitor = await visit(chat);
    const { page } = visitor;
    const conversation = await visitor.conversation();
    await chat.adapter.setStatus?.({ conversation, replyTo: null, status: { kind: "thinking" } });
    await page.locator("#typing").waitFor();
    assert.equal(await page.locator("#activity").textContent(), "A reply is being written");
    await chat.adapter.setStatus?.({ conversation, replyTo: null, status: { kind: "stop_typing" } });
    await page.locator("#typing").waitFor({ state: "hidden" });
    await chat.adapter.setStatus?.({ conversation, replyTo: null, status: { kind: "thinking" } });
    await page.locator("#typing").waitFor();
    chat.mailbox.put(conversation, "here");
    await shown(page, "here");
    await page.locator("#typing").waitFor({ state: "hidden" });
  });

  it("shows markup as text, makes links of addresses only, and files a download", async () => {
    await using chat = await startEcho();
    await using visitor = await visit(chat);
    const { page } = visitor;
    const conversation = await visitor.conversation();
    chat.mailbox.put(conversation, '<img src=x onerror="document.title=1"> javascript:alert(1) https://example.com/a.');
    await shown(page, "<img src=x");
    const link = page.locator("#log a").first();
    assert.equal(await link.getAttribute("href"), "https://example.com/a");
    assert.match(String(await link.getAttribute("rel")), /noopener/u);
    assert.equal(await page.locator("#log a").count(), 1);
    assert.equal(await page.title(), "Chat");
    const file = {
      kind: "file",
      filename: "note.txt",
      mimeType: "text/html",
      data: "aGVsbG8=",
      caption: "A note",
    } as const;
    chat.mailbox.put(conversation, file);
    await shown(page, "A note");
    const [download] = await Promise.all([page.waitForEvent("download"), page.locator(".file").click()]);
    assert.equal(download.suggestedFilename(), "note.txt");
    assert.deepEqual(visitor.problems, []);
  });

  it("asks for the token and goes on with the right one", async () => {
    await using chat = await startEcho({ authToken: "sesame" });
    const context = await browser.newContext();
    const page = await context.newPage();
    page.setDefaultTimeout(15_000);
    await page.goto(chat.url);
    const field = page.getByLabel("Token", { exact: true });
    await field.waitFor();
    await page.keyboard.type("wrong");
    await page.keyboard.press("Enter");
    await page.locator("#access-reason", { hasText: "not right" }).waitFor();
    await page.keyboard.type("sesame");
    await page.keyboard.press("Enter");
    await online(page);
    await say(page, "hello");
    await shown(page, "echo: hello");
    assert.ok(!page.url().includes("sesame"));
    await context.close();
  });

  it("tries again by itself what can be accepted later, in order", async () => {
    const retry = { kind: "after", delayMs: 300 } as const;
    let refusals = 2;
    const arrived: string[] = [];
    await using chat = await startWebchat(
      {},
      {
        emit: async ({ id, text }) => {
          arrived.push(text);
          refusals -= 1;
          if (refusals >= 0) throw new GatewayError("queue_full", "Cannot accept the message now", { retry });
          return id;
        },
      },
    );
    await using visitor = await visit(chat);
    await say(visitor.page, "one");
    await say(visitor.page, "two");
    await visitor.page.locator(".mine .note", { hasText: "Sent" }).nth(1).waitFor();
    assert.deepEqual(arrived, ["one", "one", "one", "two"]);
  });

  it("says what was refused for good, and lets it be tried again", async () => {
    const refusals = [new GatewayError("invalid_request", "Cannot accept this message")];
    await using chat = await startWebchat(
      {},
      {
        emit: async ({ id }) => {
          const refusal = refusals.pop();
          if (refusal !== undefined) throw refusal;
          return id;
        },
      },
    );
    await using visitor = await visit(chat);
    const { page } = visitor;
    await say(page, "x");
    await page.locator(".note.failed", { hasText: "Cannot accept this message" }).waitFor();
    await page.getByRole("alert").filter({ hasText: "was not sent" }).waitFor();
    await page.getByRole("button", { name: "Try again" }).click();
    await page.locator(".mine .note", { hasText: "Sent" }).waitFor();
    await say(page, "é".repeat(9_000));
    await page.getByRole("alert").filter({ hasText: "too long" }).waitFor();
  });

  for (const width of [320, 360, 768])
    it(`fits ${width} pixels without scrolling sideways, and zooms in nowhere`, async () => {
      await using chat = await startEcho();
      await using visitor = await visit(chat, { viewport: { width, height: 640 }, isMobile: true, hasTouch: true });
      const { page } = visitor;
      await say(page, `${"wide".repeat(60)} https://example.com/${"path/".repeat(40)}`);
      await shown(page, "echo: wide");
      const found = await page.evaluate<{ overflow: number; fontSize: number; smallest: number }>(`({
        overflow: document.documentElement.scrollWidth - innerWidth,
        fontSize: Number.parseFloat(getComputedStyle(document.querySelector("textarea")).fontSize),
        smallest: Math.min(
          ...[...document.querySelectorAll("button")]
            .filter((button) => button.offsetParent !== null)
            .map((button) => button.offsetHeight),
        ),
      })`);
      assert.ok(found.overflow <= 0, `${found.overflow} pixels too wide`);
      assert.ok(found.fontSize >= 16);
      assert.ok(found.smallest >= 44, "a finger is 44 pixels wide");
    });

  it("tells a screen reader what is what", async () => {
    await using chat = await startEcho();
    await using visitor = await visit(chat, { colorScheme: "dark", reducedMotion: "reduce" });
    const { page } = visitor;
    await say(page, "hello");
    await shown(page, "echo: hello");
    const log = page.getByRole("log", { name: "Messages" });
    assert.equal(await log.getAttribute("aria-live"), "polite");
    assert.match(await log.ariaSnapshot(), /You:.*hello[\s\S]*Reply:.*echo: hello/u);
    await page.getByRole("button", { name: "Send" }).waitFor();
    await page.getByRole("heading", { level: 1, name: "Chat" }).waitFor();
    assert.equal(await page.locator("html").getAttribute("lang"), "en");
  });
});
