import assert from "node:assert/strict";
import { createServer } from "node:net";
import { describe, it } from "node:test";
import { GatewayError } from "../../../src/contract/errors.ts";
import { AdapterBench } from "../../conformance/adapter-bench.ts";
import { SlackPlatform } from "../../emulators/slack/platform.ts";
import { startSlack, type SlackBench } from "./slack-bench.ts";

function pusherOf({ slack }: SlackBench): NonNullable<SlackPlatform["pusher"]> {
  assert.ok(slack.pusher !== null);
  return slack.pusher;
}

describe("slack adapter, HTTP mode", () => {
  it("answers the challenge that proves its address", async () => {
    await using running = await startSlack("http");
    const answer = await pusherOf(running).post(JSON.stringify({ type: "url_verification", challenge: "abc" }));
    assert.deepEqual([answer.status, JSON.parse(answer.body)], [200, { challenge: "abc" }]);
  });

  it("takes nothing that is unsigned, forged or old", async () => {
    await using running = await startSlack("http");
    const pusher = pusherOf(running);
    const body = JSON.stringify({ type: "url_verification", challenge: "abc" });
    const old = String(Math.floor(Date.now() / 1000) - 301);
    const forged: readonly Readonly<Record<string, string>>[] = [
      { "X-Slack-Signature": "" },
      { "X-Slack-Signature": `v0=${"0".repeat(64)}` },
      { "X-Slack-Signature": pusher.sign(old, body), "X-Slack-Request-Timestamp": old },
      { "X-Slack-Request-Timestamp": "" },
    ];
    for (const headers of forged) assert.equal((await pusher.post(body, headers)).status, 401, JSON.stringify(headers));
  });

  it("says what is wrong with other requests", async () => {
    await using running = await startSlack("http");
    const pusher = pusherOf(running);
    assert.equal((await pusher.post("{}", {}, "/elsewhere")).status, 404);
    assert.equal((await pusher.post("not json")).status, 400);
    assert.equal((await pusher.post("x".repeat(1_100_000))).status, 413);
    const get = await fetch(`http://127.0.0.1:${running.slack.settings.port}/slack/events`);
    assert.deepEqual([get.status, get.headers.get("allow")], [405, "POST"]);
  });

  it("answers 503 while the journal refuses, and Slack comes again", async () => {
    await using running = await startSlack("http");
    const { slack, bench } = running;
    bench.ledger.refuse(new GatewayError("journal_unavailable", "away"));
    const ts = await slack.say({ text: "comes again" });
    await bench.ledger.emitted.count(2, "a second try");
    assert.ok(!slack.isAcknowledged(ts));
    bench.ledger.release();
    await bench.ledger.acceptedText("comes again");
    await slack.acknowledged(ts);
  });

  it("says whose port it is when it cannot have it, and leaves nothing behind", async () => {
    await using slack = await SlackPlatform.start("http");
    const other = createServer().listen(slack.settings.port, "127.0.0.1");
    await using bench = new AdapterBench(slack);
    await assert.rejects(bench.start(), { code: "conflict" });
    await slack.service.empty();
    other.close();
  });

  it("counts a minute as missed when Slack holds events back", async () => {
    await using running = await startSlack("http");
    await pusherOf(running).post(JSON.stringify({ type: "app_rate_limited", minute_rate_limited: 1 }));
    assert.equal(running.bench.ledger.gapSeconds, 60);
  });
});
