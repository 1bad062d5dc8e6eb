import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { AdapterBench } from "../../conformance/adapter-bench.ts";
import { FakeClock } from "../../conformance/fake-clock.ts";
import { turns } from "../../conformance/within.ts";
import { GatewayError } from "../../../src/contract/errors.ts";
import { mainChat } from "../../emulators/telegram/bot-world.ts";
import { TelegramPlatform } from "../../emulators/telegram/platform.ts";

function messageBody(updateId: number, text: string): string {
  const from = { id: 1001, is_bot: false, first_name: "Ann" };
  return JSON.stringify({
    update_id: updateId,
    message: { message_id: updateId, date: 1, chat: mainChat, from, text },
  });
}

describe("telegram adapter, webhook", () => {
  it("answers 200 only once the update is on disk", async () => {
    await using platform = await TelegramPlatform.start("webhook");
    await using bench = await AdapterBench.start(platform);
    bench.ledger.hold();
    let status = 0;
    const answer = platform.pusher.post(messageBody(5, "waits")).then((found) => (status = found));
    await bench.ledger.emitted.count(1, "the message");
    await turns(50);
    assert.equal(status, 0);
    bench.ledger.release();
    await answer;
    assert.equal(status, 200);
  });

  it("answers 503 for what the gateway refuses, and hears it when it comes again", async () => {
    await using platform = await TelegramPlatform.start("webhook");
    await using bench = await AdapterBench.start(platform);
    bench.ledger.refuse(new GatewayError("queue_full", "Cannot accept the message: full"));
    assert.equal(await platform.pusher.post(messageBody(5, "again")), 503);
    bench.ledger.release();
    assert.equal(await platform.pusher.post(messageBody(5, "again")), 200);
    await bench.ledger.acceptedText("again");
  });

  it("lets nobody in without the secret", async () => {
    await using platform = await TelegramPlatform.start("webhook");
    await using bench = await AdapterBench.start(platform);
    for (const secret of [null, "", "wrong", `${platform.secrets[2]}x`])
      assert.equal(await platform.pusher.post(messageBody(5, "forged"), secret), 401, `${secret}`);
    assert.equal(await platform.pusher.post("{", platform.secrets[2]), 400);
    await bench.hear("honest");
    assert.deepEqual(bench.ledger.texts(), ["honest"]);
  });

  it("gathers an album though Telegram gives the next part only when it has the answer for the last", async () => {
    await using platform = await TelegramPlatform.start("webhook");
    await using bench = await AdapterBench.start(platform);
    const file = (filename: string): { filename: string; mimeType: string; bytes: Buffer } => ({
      filename,
      mimeType: "text/plain",
      bytes: Buffer.from(filename),
    });
    const id = await platform.say({ text: "three files", attachments: [file("a"), file("b"), file("c")] });
    await platform.acknowledged(id);
    const heard = await bench.ledger.acceptedText("three files");
    assert.deepEqual(
      heard.attachments?.map(({ filename }) => filename),
      ["a", "b", "c"],
    );
  });

  it("does not lose the confirmed parts of an album to a death", async () => {
    await using platform = await TelegramPlatform.start("webhook");
    await using clock = new FakeClock();
    await using bench = await AdapterBench.start(platform);
    const photo = [{ file_id: "A", file_unique_id: "A", width: 1, height: 1 }];
    const first = platform.sayMessage(mainChat, null, { photo, media_group_id: "g", caption: "look" });
    await platform.acknowledged(first);
    await bench.respawn();
    await clock.advanceUntil(() => bench.ledger.accepted.items.length > 0, 5);
    await bench.ledger.acceptedText("look");
  });

  it("sets the webhook with its secret and kinds, and keeps it over a stop", async () => {
    await using platform = await TelegramPlatform.start("webhook");
    const bench = await AdapterBench.start(platform);
    assert.equal(platform.world.webhook?.url, platform.settings["webhookUrl"]);
    assert.ok(platform.world.queue.allowed?.includes("message_reaction"));
    await bench[Symbol.asyncDispose]();
    assert.notEqual(platform.world.webhook, null);
  });

  it("notices that another program has taken the webhook", async () => {
    await using platform = await TelegramPlatform.start("webhook");
    await using clock = new FakeClock();
    await using bench = await AdapterBench.start(platform);
    platform.world.webhook = { url: "https://thief.example/path-with-a-token", secret: "" };
    await clock.advanceUntil(() => bench.ledger.errors.length > 0, 40);
    const error = GatewayError.from(bench.ledger.errors[0]);
    assert.equal(error.code, "conflict");
    assert.match(error.message, /moved the webhook to thief\.example$/u);
  });

  it("shows life while nobody writes, and says when Telegram cannot reach us", async () => {
    await using platform = await TelegramPlatform.start("webhook");
    await using clock = new FakeClock();
    await using bench = await AdapterBench.start(platform);
    platform.world.webhookError = { date: 1_700_000_000, message: "Connection timed out" };
    await clock.advanceUntil(() => bench.ledger.frames > 1, 60);
    assert.ok(bench.ledger.frames > 1);
    const told = bench.ledger.log.items.filter(({ event }) => event === "telegram-webhook-unreachable");
    assert.equal(told.length, 1);
  });

  it("says which setting is wrong when Telegram refuses the webhook", async () => {
    await using platform = await TelegramPlatform.start("webhook");
    await using bench = new AdapterBench(platform);
    platform.server.refuseNext(
      "setWebhook",
      400,
      "Bad Request: bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443",
    );
    await assert.rejects(bench.start(), {
      code: "config_invalid",
      message: /only on ports/u,
      userAction: /webhook_url/u,
    });
  });
});
