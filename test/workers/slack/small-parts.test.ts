/** The parts of a few lines: addresses, order, response addresses, signatures, progress. */
import assert from "node:assert/strict";
import { describe, it, mock } from "node:test";
import { parseAddress, replyIn, threadOf } from "../../../workers/slack/address.ts";
import { InOrder } from "../../../workers/slack/in-order.ts";
import { Progress } from "../../../workers/slack/progress.ts";
import { ResponseUrls } from "../../../workers/slack/response-urls.ts";
import { isFresh, isSigned, signRequest } from "../../../workers/slack/signature.ts";
import type { Post } from "../../../workers/slack/post.ts";
import { mockClocks } from "../../support/mocked-time.ts";

describe("parseAddress()", () => {
  it("takes channels, people and threads", () => {
    assert.deepEqual(parseAddress("C01"), { kind: "channel", id: "C01", threadTs: "" });
    assert.deepEqual(parseAddress("DM:u1"), { kind: "user", id: "U1", threadTs: "" });
    assert.deepEqual(parseAddress("C01#thread:17.01"), { kind: "channel", id: "C01", threadTs: "17.01" });
  });

  for (const text of ["", "#general", "C01#thread:", "C01#thread:x", "dm:", "C 01", "C01/../x"])
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.throws(() => parseAddress(text), { code: "invalid_request" });
    });

  it("takes no thread from a message elsewhere", () => {
    const reply = { channel: "C02", ts: "1.1", thread_ts: "1.0" };
    assert.deepEqual(replyIn("C01", reply), {});
    assert.equal(threadOf(parseAddress("C02"), replyIn("C02", reply)), "1.0");
    assert.equal(threadOf(parseAddress("C02#thread:9.9"), reply), "9.9");
  });
});

describe("InOrder", () => {
  it("acts in the order of the calls, whoever was prepared first, and does not wait for the acts to end", async () => {
    const order = new InOrder();
    const slow = Promise.withResolvers<string>();
    const never = Promise.withResolvers<void>();
    const acted: string[] = [];
    const act = (name: string): Promise<void> => {
      acted.push(name);
      return never.promise;
    };
    const runs = [
      order.run("c", () => slow.promise, act),
      order.run("c", () => "second", act),
      order.run("other", () => "elsewhere", act),
    ];
    assert.deepEqual(acted, ["elsewhere"]);
    slow.resolve("first");
    await new Promise(setImmediate);
    assert.deepEqual(acted, ["elsewhere", "first", "second"]);
    never.resolve();
    await Promise.all(runs);
  });

  it("goes on after one that failed", async () => {
    const order = new InOrder();
    const failing = order.run(
      "c",
      () => Promise.reject(new Error("no")),
      async () => "never",
    );
    const next = order.run(
      "c",
      () => "next",
      async (name) => name,
    );
    await assert.rejects(failing, /no/u);
    assert.equal(await next, "next");
  });
});

describe("ResponseUrls", () => {
  it("gives an address five times, for half an hour, to whom it belongs", () => {
    const urls = new ResponseUrls();
    urls.add("t", "https://x", "U1");
    assert.equal(urls.take("t", "U2"), null);
    for (let use = 0; use < 5; use += 1) assert.equal(urls.take("t", "U1"), "https://x");
    assert.equal(urls.take("t", "U1"), null);
    mockClocks({ mock }, Date.now());
    urls.add("late", "https://y", "U1");
    mock.timers.tick(30 * 60_000);
    assert.equal(urls.take("late", "U1"), null);
    mock.timers.reset();
    mock.restoreAll();
  });
});

describe("signatures", () => {
  // Slack's own example: https://docs.slack.dev/authentication/verifying-requests-from-slack
  const secret = "8f742231b10e8888abcd99yyyzzz85a5";
  const timestamp = "1531420618";
  const body = Buffer.from(
    "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c",
  );
  const signature = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";

  it("are what Slack's documents say", () => {
    assert.equal(signRequest(secret, timestamp, body), signature);
    assert.ok(isSigned(secret, timestamp, body, signature));
    assert.ok(!isSigned(secret, "1531420619", body, signature));
    assert.ok(!isSigned("", timestamp, body, signRequest("", timestamp, body)));
  });

  it("are old after five minutes", () => {
    const nowMs = Number(timestamp) * 1_000;
    assert.ok(isFresh(timestamp, nowMs + 300_000));
    assert.ok(!isFresh(timestamp, nowMs + 301_000) && !isFresh(timestamp, nowMs - 301_000));
    assert.ok(!isFresh("", nowMs) && !isFresh("1e9", nowMs) && !isFresh(undefined, nowMs));
  });
});

describe("Progress", () => {
  const post = (ts: string, threadTs = "", channel = "C1"): Post => ({
    kind: "posted",
    channel,
    ts,
    threadTs,
    threadAuthor: "",
    user: "U1",
    botId: "",
    text: "",
    files: [],
    revision: "",
  });
  const resumeOf = (state: unknown): { load(): Promise<unknown>; store(state: unknown): Promise<void> } => ({
    load: async () => state,
    store: async () => {},
  });

  it("keeps the latest of each channel and thread, and takes no step back", async () => {
    const progress = new Progress(resumeOf(null), assert.ifError);
    assert.deepEqual(await progress.load(), { aliveAt: "", channels: {}, threads: {} });
    for (const each of [post("2.1"), post("1.1"), post("3.1", "1.1"), post("2.5", "1.1")]) progress.note(each);
    assert.deepEqual([progress.heard.channels, progress.heard.threads], [{ C1: "2.1" }, { "C1/1.1": "3.1" }]);
  });

  it("does not let what is heard live hide a gap before it", () => {
    const progress = new Progress(resumeOf(null), assert.ifError);
    progress.note(post("1.1"));
    progress.freeze();
    progress.note(post("9.1"));
    assert.deepEqual(progress.heard.channels, { C1: "1.1" });
    progress.thaw();
    assert.deepEqual(progress.heard.channels, { C1: "9.1" });
  });

  it("does not go past a message that was not accepted until it is", () => {
    const progress = new Progress(resumeOf(null), assert.ifError);
    progress.note(post("1.1"));
    progress.refuse(post("2.1"));
    progress.refuse(post("3.1"));
    for (const each of [post("4.1"), post("4.1", "", "C2"), post("4.2", "1.1")]) progress.note(each);
    assert.deepEqual(progress.heard.channels, { C1: "1.1", C2: "4.1" });
    assert.equal(progress.isWaiting, true);
    progress.freeze();
    progress.note(post("2.1"));
    progress.thaw();
    assert.equal(progress.heard.channels["C1"], "2.1");
    progress.note(post("3.1"));
    assert.equal(progress.isWaiting, false);
    progress.note(post("5.1"));
    assert.equal(progress.heard.channels["C1"], "5.1");
  });

  it("begins at what was not accepted where a channel has no place of its own, and not before a gap is closed", () => {
    const progress = new Progress(resumeOf(null), assert.ifError);
    progress.refuse(post("7.1"));
    assert.deepEqual(progress.heard.channels, { C1: "7.099999" });
    progress.freeze();
    progress.refuse(post("9.1", "", "C2"));
    progress.refuse(post("8.1", "", "C2"));
    assert.deepEqual(progress.heard.channels, { C1: "7.099999" });
    progress.thaw();
    assert.deepEqual(progress.heard.channels, { C1: "7.099999", C2: "8.099999" });
  });

  it("reads nothing from a state that is broken", async () => {
    const broken = { aliveAt: 7, channels: { C1: "x", C2: "1.1", C3: null }, threads: [] };
    const progress = new Progress(resumeOf(broken), assert.ifError);
    assert.deepEqual(await progress.load(), { aliveAt: "", channels: { C2: "1.1" }, threads: {} });
  });
});
