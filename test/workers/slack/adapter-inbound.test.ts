import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { EmittedMessage } from "../../../src/contract/message.ts";
import type { AdapterBench } from "../../conformance/adapter-bench.ts";
import { FakeClock } from "../../conformance/fake-clock.ts";
import { within } from "../../conformance/within.ts";
import { openPolicy } from "../../support/adapter-context.ts";
import { aliceUser, botUser } from "../../emulators/slack/workspace.ts";
import { startSlack } from "./slack-bench.ts";

/** The `count`-th accepted message, 1 for the first. */
async function accepted(bench: AdapterBench, count: number): Promise<EmittedMessage> {
  await bench.ledger.accepted.count(count, `accepted message ${count}`);
  const item = bench.ledger.accepted.items[count - 1];
  assert.ok(item !== undefined);
  return item.message;
}

for (const mode of ["socket", "http"] as const)
  describe(`slack adapter, what comes in (${mode} mode)`, () => {
    it("hears a mention once although Slack tells of it twice", async () => {
      await using running = await startSlack(mode);
      const { slack, bench } = running;
      const ts = await slack.say({ text: `<@${botUser}> please look` });
      await within(slack.acknowledged(ts), "the acknowledgement of both events");
      await bench.hear("the next one");
      assert.deepEqual(bench.ledger.texts(), ["please look", "the next one"]);
      assert.equal(bench.ledger.emitted.items.length, 2);
      const [first] = bench.ledger.emitted.items;
      assert.equal(first?.message.routing?.mentionsBot, true);
      assert.equal(first?.message.metadata?.["slack_mentions_or_replies_to_bot"], true);
    });

    it("says who, where and when, with names", async () => {
      await using running = await startSlack(mode);
      const message = await running.bench.hear("hello");
      assert.equal(message.conversation, "C0GENERAL");
      assert.deepEqual(message.sender, { id: aliceUser, name: "Alice", isBot: false });
      assert.equal(message.timestamp, new Date(Number(message.id) * 1000).toISOString());
      assert.deepEqual(message.routing, {
        workspaceId: "T0TEAM",
        channelIds: ["C0GENERAL"],
        isDirect: false,
        mentionsBot: false,
      });
      assert.deepEqual(message.replyTo, { channel: "C0GENERAL", ts: message.id, user: aliceUser });
      assert.deepEqual(message.metadata, {
        slack_workspace_id: "T0TEAM",
        server_name: "Team",
        slack_channel_id: "C0GENERAL",
        slack_channel_name: "general",
        channel_name: "#general",
        slack_message_ts: message.id,
        slack_user_id: aliceUser,
        sender_id: aliceUser,
        slack_user_mention: `<@${aliceUser}>`,
        sender_display_name: "Alice",
        sender_username: "alice",
        slack_mentions_or_replies_to_bot: false,
      });
    });

    it("tells of edits, deletions and reactions, and of no unfolded link", async () => {
      await using running = await startSlack(mode);
      const { slack, bench } = running;
      const { id: ts } = await bench.hear("first");
      const message = {
        type: "message",
        user: aliceUser,
        text: "second",
        ts,
        edited: { user: aliceUser, ts: "1700000001.000100" },
      };
      const changed = { type: "message", subtype: "message_changed", channel: "C0GENERAL", ts: "1700000001.000200" };
      slack.tellEvent("edit", {
        ...changed,
        message,
        previous_message: { ...message, text: "first", edited: undefined },
      });
      slack.tellEvent("unfold", { ...changed, ts: "1700000001.000300", message, previous_message: message });
      const item = { type: "message", channel: "C0GENERAL", ts };
      slack.tellEvent("add", {
        type: "reaction_added",
        user: aliceUser,
        reaction: "+1",
        item,
        event_ts: "1700000002.000100",
      });
      slack.tellEvent("take", {
        type: "reaction_removed",
        user: aliceUser,
        reaction: "+1",
        item,
        event_ts: "1700000003.000100",
      });
      slack.tellEvent("again", {
        type: "reaction_added",
        user: aliceUser,
        reaction: "+1",
        item,
        event_ts: "1700000004.000100",
      });
      const deletion = { type: "message", subtype: "message_deleted", channel: "C0GENERAL", deleted_ts: ts };
      slack.tellEvent("delete", { ...deletion, ts: "1700000005.000100", previous_message: message });
      await accepted(bench, 6);
      const rows = bench.ledger.accepted.items
        .slice(1)
        .map(({ message: { kind, id, text, metadata } }) => [kind, id === ts, text, metadata?.["reaction_action"]]);
      assert.deepEqual(rows, [
        ["edited", true, "second", undefined],
        ["reaction", true, "👍", "added"],
        ["reaction", true, "👍", "removed"],
        ["reaction", true, "👍", "added"],
        ["deleted", true, "", undefined],
      ]);
    });

    it("knows a reply to the bot's own thread, asking Slack once", async () => {
      await using running = await startSlack(mode);
      const { slack, bench } = running;
      const root = slack.workspace.add("C0GENERAL", { text: "I began this", user: botUser });
      for (const text of ["reply one", "reply two"]) {
        // Without `parent_user_id`, as in events of old.
        const reply = slack.workspace.add("C0GENERAL", { text, user: aliceUser, thread_ts: root.ts });
        slack.tellEvent(reply.ts, { ...reply, type: "message", channel: "C0GENERAL" });
      }
      const second = await accepted(bench, 2);
      assert.equal(second.routing?.mentionsBot, true);
      assert.equal(second.replyTo?.["thread_ts"], root.ts);
      assert.equal(second.metadata?.["slack_thread_ts"], root.ts);
      const asked = slack.service.calls.items.filter(({ method }) => method === "conversations.replies");
      assert.equal(asked.length, 1);
    });

    it("keeps the order of a conversation while names are asked for", async () => {
      await using running = await startSlack(mode);
      const { slack, bench } = running;
      await bench.hear("known by now");
      // Bob is asked for, Alice is not.
      await slack.say({ text: "from Bob", senderId: "U0BOB" });
      await slack.say({ text: "from Alice" });
      await accepted(bench, 3);
      assert.deepEqual(bench.ledger.texts(), ["known by now", "from Bob", "from Alice"]);
    });

    it("goes on without a name that Slack will not say", async () => {
      await using running = await startSlack(mode);
      const { slack, bench } = running;
      slack.scopes.delete("users:read");
      const message = await bench.hear("who am I");
      assert.equal(message.sender.name, aliceUser);
    });

    it("never hears itself, and other bots only where they are allowed", async () => {
      await using running = await startSlack(mode);
      const { slack, bench } = running;
      slack.tell("C0GENERAL", { text: "my own", user: botUser, bot_id: "B0BOT" });
      slack.tell("C0GENERAL", { text: "another bot's", user: "U0BOB", bot_id: "B0OTHER" });
      await bench.hear("a person's");
      assert.deepEqual(bench.ledger.texts(), ["a person's"]);
      await bench.running.updatePolicy?.({ ...openPolicy, allowBotMessages: true });
      slack.tell("C0GENERAL", { text: "another bot's again", user: "U0BOB", bot_id: "B0OTHER" });
      await bench.ledger.acceptedText("another bot's again");
    });

    it("lets nobody write directly who is not listed, in messages, commands and clicks alike", async () => {
      await using running = await startSlack(mode, { policy: { dmAllowedUsers: ["U0BOB"] } });
      const { slack, bench } = running;
      await slack.say({ text: "let me in", conversation: "D0ALICE" });
      slack.tellCommand("command-1", { command: "/deploy", text: "now", channel_id: "D0ALICE" });
      slack.tellInteraction("click-1", {
        type: "block_actions",
        channel: { id: "D0ALICE" },
        actions: [{ type: "button", action_id: "ok", value: "1" }],
      });
      for (const id of ["command-1", "click-1"]) await within(slack.acknowledged(id), `the acknowledgement of ${id}`);
      await bench.hear("in the channel all may");
      assert.deepEqual(bench.ledger.texts(), ["in the channel all may"]);
    });

    it("gives a command to the handler and answers only who typed it", async () => {
      await using running = await startSlack(mode);
      const { slack, bench } = running;
      slack.tellCommand("13.37.abc", { command: "/deploy", text: "prod now" });
      const message = await bench.ledger.acceptedText("/deploy prod now");
      await within(slack.acknowledged("13.37.abc"), "the acknowledgement of a command");
      assert.equal(message.kind, "command");
      assert.equal(message.metadata?.["command_name"], "deploy");
      assert.equal(message.metadata?.["command_args"], "prod now");
      assert.ok(!JSON.stringify(message).includes("/respond/"), "the address works without a token: it is a secret");
      await bench.answer(message, { kind: "ephemeral", text: "done", userId: aliceUser });
      const { body } = await slack.responses.first(() => true, "an answer to the command");
      assert.equal(body["response_type"], "ephemeral");
      assert.match(JSON.stringify(body["blocks"]), /done/u);
      // For somebody else it is an ordinary ephemeral message.
      await bench.answer(message, { kind: "ephemeral", text: "for Bob", userId: "U0BOB" });
      await bench.shown(({ kind, text }) => kind === "ephemeral" && text === "for Bob", "an ephemeral message");
    });

    it("finds a declared command in the first word, and lists them for an unknown one", async () => {
      const commands = [{ name: "status", description: "How things are", options: [], isPrivate: false }];
      await using running = await startSlack(mode, { policy: { commands } });
      const { slack, bench } = running;
      slack.tellCommand("t1", { command: "/bulkhead", text: "status of all" });
      assert.equal((await bench.ledger.acceptedText("/status of all")).metadata?.["command_name"], "status");
      slack.tellCommand("t2", { command: "/bulkhead", text: "dance" });
      await within(slack.acknowledged("t2"), "the answer to an unknown command");
      const answer =
        slack.pusher === null
          ? JSON.stringify(slack.socket.answers.items.at(-1)?.payload)
          : slack.pusher.answered.items.at(-1)?.answer.body;
      assert.match(answer ?? "", /ephemeral/u);
      assert.match(answer ?? "", /\/bulkhead status/u);
      assert.equal(bench.ledger.accepted.items.length, 1);
    });

    it("gives one interaction per action, with where it happened", async () => {
      await using running = await startSlack(mode);
      const { slack, bench } = running;
      slack.tellInteraction("77.1", {
        type: "block_actions",
        channel: { id: "C0GENERAL" },
        message: { ts: "1700000000.000100", thread_ts: "1600000000.000100" },
        actions: [
          { type: "button", action_id: "yes", block_id: "b1", value: "y", text: { text: "Yes!" } },
          { type: "users_select", action_id: "who", selected_user: "U0BOB" },
        ],
      });
      const second = await accepted(bench, 2);
      const [first] = bench.ledger.accepted.items;
      assert.deepEqual([first?.message.id, second.id], ["77.1", "77.1:1"]);
      assert.equal(first?.message.text, "[interaction: yes → Yes!]");
      assert.deepEqual(second.metadata?.["values"], ["U0BOB"]);
      assert.deepEqual(first?.message.replyTo, {
        channel: "C0GENERAL",
        ts: "1700000000.000100",
        thread_ts: "1600000000.000100",
        user: aliceUser,
        trigger: "77.1",
      });
    });

    it("gives a form's values by block and action, in the direct messages of who sent it", async () => {
      await using running = await startSlack(mode);
      const { slack, bench } = running;
      slack.tellInteraction("88.1", {
        type: "view_submission",
        view: {
          id: "V1",
          callback_id: "survey",
          state: {
            values: {
              b1: { a1: { type: "plain_text_input", value: "text" } },
              b2: { a2: { type: "datepicker", selected_date: "2026-01-02" } },
            },
          },
        },
      });
      const message = await accepted(bench, 1);
      assert.equal(message.conversation, `dm:${aliceUser}`);
      assert.equal(message.metadata?.["action_id"], "survey");
      assert.deepEqual(message.metadata?.["slack_view_values"], { b1: { a1: ["text"] }, b2: { a2: ["2026-01-02"] } });
      await bench.answer(message, "thank you");
      await bench.shown(
        ({ conversation, text }) => conversation === "D0ALICE" && text === "thank you",
        "a direct message",
      );
    });

    it("tells whoever typed a command when it could not be stored in time", async () => {
      await using clock = new FakeClock();
      await using running = await startSlack(mode);
      const { slack, bench } = running;
      bench.ledger.hold();
      slack.tellCommand("slow", { command: "/deploy", text: "" });
      await bench.ledger.emitted.count(1, "the command's emission");
      assert.ok(await clock.advanceUntil(() => slack.isAcknowledged("slow"), 3), "Slack's own deadline passed");
      const answer =
        slack.pusher === null
          ? JSON.stringify(slack.socket.answers.items.at(-1)?.payload)
          : slack.pusher.answered.items.at(-1)?.answer.body;
      assert.match(answer ?? "", /longer than usual/u);
      bench.ledger.release();
      await bench.ledger.acceptedText("/deploy");
    });
  });
