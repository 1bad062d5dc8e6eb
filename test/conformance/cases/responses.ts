/** Every kind of response, in the form the capability matrix promises: itself, a text that says the same, or a refusal. */
import assert from "node:assert/strict";
import type { Capability } from "../../../src/contract/adapter.ts";
import { GatewayError } from "../../../src/contract/errors.ts";
import type { EmittedMessage } from "../../../src/contract/message.ts";
import type { ResponseInput, ResponseKind, StatusUpdate } from "../../../src/contract/response.ts";
import { AdapterBench } from "../adapter-bench.ts";
import type { ConformanceCase } from "../conformance-case.ts";
import type { EmulatedPlatform, ShownItem } from "../emulated-platform.ts";
import { FakeClock } from "../fake-clock.ts";
import { within } from "../within.ts";

/** As the outbox's own deadline of a send wants it. */
const streamEndSeconds = 60;

type Attempt = { readonly bench: AdapterBench; readonly heard: EmittedMessage; readonly id: string };

/** Something to answer, and what the adapter says of `kind`. */
async function withAMessage(
  platform: EmulatedPlatform,
  kind: ResponseKind,
  run: (attempt: Attempt, capability: Capability) => Promise<void>,
): Promise<void> {
  await using bench = await AdapterBench.start(platform);
  const id = await platform.say({ text: "please answer" });
  const heard = await bench.ledger.acceptedText("please answer");
  const capability = bench.capabilities[kind] ?? "fallback";
  await run({ bench, heard, id }, capability);
}

async function showsItsText(
  platform: EmulatedPlatform,
  response: Exclude<ResponseInput, string>,
  native: readonly ShownItem["kind"][],
): Promise<void> {
  const wanted = "text" in response ? (response.text ?? "") : "";
  await withAMessage(platform, response.kind, async ({ bench, heard }, capability) => {
    if (capability === "none") return refuses(bench, heard, response);
    await bench.answer(heard, response);
    const kinds: readonly ShownItem["kind"][] = capability === "native" ? native : ["message"];
    const isIt = (item: ShownItem): boolean => kinds.includes(item.kind) && item.text.includes(wanted);
    await bench.shown(isIt, `${response.kind} as ${kinds.join(" or ")}`);
  });
}

async function refuses(bench: AdapterBench, heard: EmittedMessage, response: ResponseInput): Promise<void> {
  await assert.rejects(bench.answer(heard, response), (reason: unknown) => {
    return GatewayError.from(reason).code === "unsupported_response";
  });
}

/** A text. */
export async function showsText(platform: EmulatedPlatform): Promise<void> {
  await showsItsText(platform, { kind: "text", text: "plain and simple" }, ["message"]);
}

/** A thread, or its text where there are none. */
export async function showsThreadReplies(platform: EmulatedPlatform): Promise<void> {
  const response = { kind: "thread_reply", threadName: "side talk", text: "said in a thread" } as const;
  await showsItsText(platform, response, ["message", "thread"]);
}

/** For one person's eyes, or for all where that cannot be. */
export async function showsEphemeralReplies(platform: EmulatedPlatform): Promise<void> {
  await using bench = await AdapterBench.start(platform);
  const heard = await bench.hear("whisper to me");
  await bench.answer(heard, { kind: "ephemeral", text: "between us", userId: heard.sender.id });
  await bench.shown(({ kind, text }) => ["ephemeral", "message"].includes(kind) && text.includes("between us"), "it");
}

/** Later, or now where the platform cannot wait. */
export async function showsScheduledMessages(platform: EmulatedPlatform): Promise<void> {
  const postAt = Math.floor(Date.now() / 1_000) + 3_600;
  await showsItsText(platform, { kind: "scheduled_message", text: "said in time", postAt }, ["scheduled", "message"]);
}

/** A file with its name and caption. */
export async function showsFiles(platform: EmulatedPlatform): Promise<void> {
  const data = Buffer.from("a small file").toString("base64");
  const response = { kind: "file", filename: "notes.txt", mimeType: "text/plain", data, caption: "my notes" } as const;
  await withAMessage(platform, "file", async ({ bench, heard }, capability) => {
    if (capability === "none") return refuses(bench, heard, response);
    await bench.answer(heard, response);
    const kind = capability === "native" ? "file" : "message";
    await bench.shown((item) => item.kind === kind && item.text.includes("notes.txt"), `a file as ${kind}`);
    const isCaption = (item: ShownItem): boolean => `${item.text} ${JSON.stringify(item.raw)}`.includes("my notes");
    await bench.shown(isCaption, "its caption");
  });
}

/** An emoji on the message that is answered, and off it again. */
export async function setsAndTakesReactions(platform: EmulatedPlatform): Promise<void> {
  const reaction = { kind: "reaction", emoji: "👍" } as const;
  await withAMessage(platform, "reaction", async ({ bench, heard, id }, capability) => {
    if (capability !== "native") return refuses(bench, heard, reaction);
    await bench.answer(heard, reaction);
    const set = await bench.shown(({ kind }) => kind === "reaction", "a reaction");
    assert.deepEqual([set.text, set.messageId], ["👍", id]);
    if (bench.capabilities.remove_reaction !== "native")
      return refuses(bench, heard, { ...reaction, kind: "remove_reaction" });
    await bench.answer(heard, { kind: "remove_reaction", emoji: "👍" });
    const taken = await bench.shown(({ kind }) => kind === "reaction_removed", "a reaction taken off");
    assert.deepEqual([taken.text, taken.messageId], ["👍", id]);
  });
}

/** Cards, buttons, a select and a poll: whatever they become, their words can be read. */
export async function showsRichMessages(platform: EmulatedPlatform): Promise<void> {
  await using bench = await AdapterBench.start(platform);
  const heard = await bench.hear("show me everything");
  await bench.answer(heard, {
    kind: "rich_message",
    text: "the main text",
    cards: [{ title: "card title", description: "card description", fields: [{ name: "field", value: "value" }] }],
    interactiveElements: [
      { kind: "buttons", buttons: [{ label: "press me", customId: "press" }] },
      {
        kind: "select",
        customId: "choose",
        options: [{ label: "first choice", value: "1" }],
        placeholder: "choose one",
      },
    ],
    poll: { question: "which one", answers: ["this one", "that one"] },
  });
  const words = [
    "the main text",
    "card title",
    "card description",
    "press me",
    "first choice",
    "which one",
    "that one",
  ];
  for (const word of words)
    await bench.shown((item) => `${item.text} ${JSON.stringify(item.raw)}`.includes(word), JSON.stringify(word));
}

/** A stream: one message that grows, or one that comes at the end; never a message per chunk. */
export async function streams(platform: EmulatedPlatform): Promise<void> {
  // Edits come at the pace that the platform allows.
  await using clock = new FakeClock();
  await using bench = await AdapterBench.start(platform);
  const heard = await bench.hear("tell me slowly");
  const final = "one two three four";
  await bench.answer(heard, { kind: "stream_start" });
  for (const text of ["one", "one two", "one two three"]) await bench.answer(heard, { kind: "stream_chunk", text });
  const end = bench.answer(heard, { kind: "stream_end", text: final });
  await clock.hurry(end, streamEndSeconds, "the end of a stream");
  await bench.shown(({ kind, text }) => (kind === "message" || kind === "edit") && text === final, "a stream's end");
  const messages = platform.shown.filter(({ kind }) => kind === "message");
  assert.ok(messages.length <= 1, `a stream became ${messages.length} messages`);
}

/** The end of a stream that an earlier life began: its text is said all the same. */
export async function endsAStreamOfAnEarlierLife(platform: EmulatedPlatform): Promise<void> {
  await using bench = await AdapterBench.start(platform);
  const heard = await bench.hear("tell me slowly");
  await bench.answer(heard, { kind: "stream_start" });
  await bench.respawn();
  await bench.answer(heard, { kind: "stream_end", text: "the whole of it" });
  await bench.shown(
    ({ kind, text }) => (kind === "message" || kind === "edit") && text === "the whole of it",
    "its end",
  );
}

/** What the bot is busy with, as often as it likes. */
export async function takesEveryStatus(platform: EmulatedPlatform): Promise<void> {
  await using bench = await AdapterBench.start(platform);
  const { conversation, replyTo = null } = await bench.hear("what are you doing");
  const { running } = bench;
  const statuses: readonly StatusUpdate[] = [
    { kind: "thinking" },
    { kind: "thinking" },
    { kind: "tool_started", toolName: "search" },
    { kind: "tool_completed", toolName: "search" },
    { kind: "stop_typing" },
    { kind: "stop_typing" },
  ];
  for (const status of statuses)
    await within(
      running.setStatus?.({ conversation, status, replyTo }) ?? Promise.resolve(),
      `the status ${status.kind}`,
    );
  await bench.hear("and now");
}

/** Past messages, oldest first and no more than asked for. */
export async function tellsHistory(platform: EmulatedPlatform): Promise<void> {
  await using bench = await AdapterBench.start(platform);
  for (const text of ["first", "second", "third"]) await bench.hear(text);
  const { conversation, replyTo = null } = await bench.hear("fourth");
  const asked = bench.running.history?.({ conversation, replyTo, limit: 2, before: null }) ?? Promise.resolve([]);
  const past = await within(asked, "an answer to a question for history");
  assert.ok(past.length <= 2, `${past.length} messages, 2 were asked for`);
  const texts = past.map(({ text }) => text);
  if (past.length > 0) assert.deepEqual(texts, ["third", "fourth"]);
}

/** See each. */
export const responseCases: readonly ConformanceCase[] = [
  { title: "shows a text", run: showsText },
  { title: "shows a thread's reply", run: showsThreadReplies },
  { title: "shows a file", run: showsFiles },
  { title: "sets a reaction and takes it off", run: setsAndTakesReactions },
  { title: "shows an ephemeral reply", run: showsEphemeralReplies },
  { title: "shows a rich message", run: showsRichMessages },
  { title: "shows a scheduled message", run: showsScheduledMessages },
  { title: "shows a stream", setsClock: true, run: streams },
  { title: "ends a stream that an earlier life began", run: endsAStreamOfAnEarlierLife },
  { title: "takes every status", run: takesEveryStatus },
  { title: "tells what was said before", run: tellsHistory },
];
