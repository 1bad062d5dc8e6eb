import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { GatewayError } from "../../../src/contract/errors.ts";
import { FakeClock } from "../../conformance/fake-clock.ts";
import { aliceUser, type Json } from "../../emulators/slack/workspace.ts";
import { startSlack } from "./slack-bench.ts";

const general = "C0GENERAL";

describe("slack adapter, what goes out", () => {
  it("posts Markdown as a block, with Slack's own notation for notifications", async () => {
    await using running = await startSlack();
    const { slack, bench } = running;
    await bench.send(general, "**bold** & [link](https://x.y)");
    const { raw } = await bench.shown(({ kind }) => kind === "message", "a message");
    const { text, blocks } = raw as Json;
    assert.equal(text, "*bold* &amp; <https://x.y|link>");
    assert.deepEqual(JSON.parse(String(blocks)), [{ type: "markdown", text: "**bold** & [link](https://x.y)" }]);
    assert.equal(slack.service.calls.items.at(-1)?.type, "application/x-www-form-urlencoded");
  });

  it("sends to channels, people and threads by their addresses", async () => {
    await using running = await startSlack();
    const { slack, bench } = running;
    const root = slack.tell(general, { text: "root", user: aliceUser });
    await bench.send(`${general}#thread:${root}`, "in the thread");
    await bench.send(`dm:${aliceUser}`, "to Alice");
    await bench.send(`dm:${aliceUser}`, "to Alice again");
    const inThread = slack.workspace.threadOf(general, root).map(({ text }) => text);
    assert.deepEqual(inThread, ["root", "in the thread"]);
    assert.deepEqual(
      slack.shown.map(({ conversation }) => conversation),
      [general, "D0ALICE", "D0ALICE"],
    );
    assert.equal(slack.service.calls.items.filter(({ method }) => method === "conversations.open").length, 1);
  });

  it("stays in the thread of what it answers, streams too", async () => {
    await using running = await startSlack();
    const { slack, bench } = running;
    const root = slack.tell(general, { text: "root", user: aliceUser });
    slack.tell(general, { text: "asked in the thread", user: aliceUser, thread_ts: root });
    const message = await bench.ledger.acceptedText("asked in the thread");
    await bench.answer(message, "answered");
    await bench.answer(message, { kind: "stream_start" });
    await bench.answer(message, { kind: "stream_end", text: "streamed" });
    const texts = slack.workspace.threadOf(general, root).map(({ text }) => text);
    assert.deepEqual(texts, ["root", "asked in the thread", "answered", "streamed"]);
    await bench.answer(message, { kind: "thread_reply", threadName: "unused", text: "and this" });
    assert.equal(slack.workspace.threadOf(general, root).at(-1)?.text, "and this");
  });

  it("begins a thread under what it answers, or under the thread's name", async () => {
    await using running = await startSlack();
    const { slack, bench } = running;
    const message = await bench.hear("discuss this");
    await bench.answer(message, { kind: "thread_reply", threadName: "talk", text: "here" });
    assert.deepEqual(
      slack.workspace.threadOf(general, message.id).map(({ text }) => text),
      ["discuss this", "here"],
    );
    await bench.send(general, { kind: "thread_reply", threadName: "new talk", text: "there" });
    const [root] = slack.workspace.rootsOf(general).slice(-1);
    assert.equal(root?.text, "*new talk*");
    assert.equal(slack.workspace.threadOf(general, root?.ts ?? "").at(-1)?.text, "there");
  });

  it("begins a thread once, also when what stands in it is sent again", async () => {
    await using running = await startSlack();
    const { slack, bench } = running;
    const response = { kind: "thread_reply", threadName: "begun once", text: "there" } as const;
    slack.service.failSendNumber = 2;
    await assert.rejects(bench.send(general, response, null, "key"), { code: "platform_unavailable" });
    await bench.send(general, response, null, "key");
    const roots = slack.workspace.rootsOf(general).filter(({ text }) => text === "*begun once*");
    assert.equal(roots.length, 1);
    assert.equal(slack.workspace.threadOf(general, roots[0]?.ts ?? "").at(-1)?.text, "there");
  });

  it("takes a thread's text that begins with an empty line", async () => {
    await using running = await startSlack();
    const { slack, bench } = running;
    const message = await bench.hear("discuss this");
    await bench.answer(message, { kind: "thread_reply", threadName: "talk", text: "\n\nhere" });
    assert.equal(slack.workspace.threadOf(general, message.id).length, 2);
  });

  it("finds a message whose answer was lost, and says it once", async () => {
    await using running = await startSlack();
    const { slack, bench } = running;
    const message = await bench.hear("ask");
    slack.service.carriesOutLostSends = true;
    slack.setFault("send", { kind: "drop", times: 1 });
    await bench.answer(message, "said once", "key-1");
    assert.equal(slack.shown.filter(({ text }) => text === "said once").length, 1);
    const root = slack.tell(general, { text: "root", user: aliceUser });
    slack.setFault("send", { kind: "drop", times: 1 });
    await bench.send(`${general}#thread:${root}`, "in a thread", null, "key-2");
    assert.equal(slack.shown.filter(({ text }) => text === "in a thread").length, 1);
  });

  it("does not know what became of a message that Slack never answered for and does not show", async () => {
    await using clock = new FakeClock();
    await using running = await startSlack();
    const { slack, bench } = running;
    const message = await bench.hear("ask");
    slack.setFault("send", { kind: "hang" });
    const outcome = await clock.outcomeOf(bench.answer(message, "lost"), 30, "the end of a send");
    assert.equal(outcome.kind, "rejected");
    const { code } = GatewayError.from(outcome.kind === "rejected" ? outcome.reason : null);
    assert.equal(code, "timeout", "the outbox then marks it unknown");
  });

  it("goes on with the part that failed when a long text is sent again", async () => {
    await using running = await startSlack();
    const { slack, bench } = running;
    const text = Array.from({ length: 3_000 }, (_, index) => `word-${index}`).join(" ");
    slack.service.failSendNumber = 2;
    await assert.rejects(bench.send(general, text, null, "long"), { code: "platform_unavailable" });
    await bench.send(general, text, null, "long");
    const shown = slack.shown.map((item) => item.text);
    assert.equal(shown.join(" "), text);
  });

  it("maps what Slack refuses", async () => {
    await using running = await startSlack();
    const { slack, bench } = running;
    const message = await bench.hear("ask");
    const long = Math.floor(Date.now() / 1000) + 200 * 86_400;
    const rows: readonly (readonly [string, Parameters<typeof bench.answer>[1], RegExp])[] = [
      ["message_rejected", "   ", /text is empty/u],
      ["message_rejected", { kind: "scheduled_message", text: "x", postAt: 1 }, /time_in_past/u],
      ["message_rejected", { kind: "scheduled_message", text: "x", postAt: long }, /time_too_far/u],
      ["message_rejected", { kind: "reaction", emoji: "🦄🦄" }, /emoji/u],
      ["message_rejected", { kind: "reaction", emoji: ":Łódź:" }, /invalid_name/u],
      ["not_found", { kind: "ephemeral", text: "x", userId: "U0NOBODY" }, /user_not_in_channel/u],
      [
        "message_rejected",
        { kind: "rich_message", text: "x", blocks: [{ type: "unknown" }] },
        /invalid_blocks.*unsupported type/u,
      ],
    ];
    for (const [code, response, text] of rows)
      await assert.rejects(bench.answer(message, response), (reason: unknown) => {
        const error = GatewayError.from(reason);
        assert.deepEqual([error.code, error.retry.kind], [code, "never"], error.message);
        assert.match(error.message, text);
        return true;
      });
    slack.scopes.delete("reactions:write");
    await assert.rejects(bench.answer(message, { kind: "reaction", emoji: "👍" }), { code: "forbidden" });
  });

  it("takes a reaction that is there already for done", async () => {
    await using running = await startSlack();
    const message = await running.bench.hear("react");
    for (const kind of ["reaction", "reaction", "remove_reaction", "remove_reaction"] as const)
      await running.bench.answer(message, { kind, emoji: "👍" });
    assert.deepEqual(
      running.slack.shown.map(({ kind }) => kind),
      ["reaction", "reaction_removed"],
    );
  });

  it("shows its status in threads, and takes it off", async () => {
    await using running = await startSlack();
    const { slack, bench } = running;
    const root = slack.tell(general, { text: "root", user: aliceUser });
    slack.tell(general, { text: "in the thread", user: aliceUser, thread_ts: root });
    const { conversation, replyTo = null } = await bench.ledger.acceptedText("in the thread");
    const set = async (status: { kind: "thinking" } | { kind: "stop_typing" }): Promise<void> =>
      bench.running.setStatus?.({ conversation, replyTo, status });
    await set({ kind: "thinking" });
    await slack.service.calls.first(({ method }) => method === "assistant.threads.setStatus", "a status");
    await set({ kind: "stop_typing" });
    assert.equal(slack.api.statuses.get(`${general}/${root}`), "");
  });

  it("tells a thread's history oldest first, before the message that asks", async () => {
    await using running = await startSlack();
    const { slack, bench } = running;
    const root = slack.tell(general, { text: "root", user: aliceUser });
    for (const text of ["one", "two", "three"]) slack.tell(general, { text, user: aliceUser, thread_ts: root });
    const { conversation, replyTo = null, id } = await bench.ledger.acceptedText("three");
    const past = await bench.running.history?.({ conversation, replyTo, limit: 2, before: id });
    assert.deepEqual(
      past?.map(({ author, text, isBot }) => [author, text, isBot]),
      [
        ["Alice", "one", false],
        ["Alice", "two", false],
      ],
    );
  });

  it("takes Slack's sign-in page for no file", async () => {
    await using running = await startSlack();
    const { slack, bench } = running;
    await slack.say({ text: "file", attachments: [{ filename: "a.bin", mimeType: "a/b", bytes: new Uint8Array(99) }] });
    const { attachments } = await bench.ledger.acceptedText("file");
    slack.service.showsSignIn = true;
    const folder = mkdtempSync(join(tmpdir(), "bulkhead-slack-"));
    const path = join(folder, "file");
    const request = { ref: attachments?.[0]?.ref ?? "", path, maxBytes: 1_000, signal: AbortSignal.timeout(10_000) };
    await assert.rejects(async () => bench.running.attachment?.(request), { code: "forbidden" });
    assert.ok(!existsSync(path));
    rmSync(folder, { recursive: true });
  });
});
