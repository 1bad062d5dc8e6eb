import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { GatewayError } from "../../../src/contract/errors.ts";
import type { EmittedMessage } from "../../../src/contract/message.ts";
import { Inbox, type InboxParts } from "../../../workers/discord/inbox.ts";
import type { Mark } from "../../../workers/discord/resume-keeper.ts";
import { Observed } from "../../conformance/observed.ts";

describe("Inbox", () => {
  it("marks what becomes no message only after what came before it is accepted", async () => {
    const gate = Promise.withResolvers<void>();
    const { inbox, marks } = create({ emit: () => gate.promise });
    inbox.pass(mark(1));
    inbox.push(event("a"), mark(2));
    inbox.pass(mark(3));
    await Promise.resolve();
    assert.deepEqual(sequences(marks), [1]);
    gate.resolve();
    await marks.count(2, "the rest");
    assert.equal(sequences(marks).at(-1), 3);
  });

  it("holds everything back while something older comes first", async () => {
    const { inbox, marks, emitted } = create({});
    inbox.hold();
    inbox.pass(mark(1));
    inbox.push(event("a"), mark(2));
    await Promise.resolve();
    assert.deepEqual([sequences(marks), emitted.items], [[], []]);
    inbox.release();
    await emitted.count(1, "what was held");
  });

  it("tries again what the gateway cannot take now, and forgets nothing", async (context) => {
    context.mock.timers.enable({ apis: ["setTimeout"] });
    let failures = 2;
    const tried = new Observed<number>();
    const { inbox, marks } = create({
      emit: async () => {
        tried.add(failures);
        failures -= 1;
        if (failures >= 0) throw new GatewayError("journal_unavailable", "Cannot accept");
      },
    });
    inbox.push(event("a"), mark(1));
    await tried.count(1, "the first try");
    await turn();
    context.mock.timers.tick(250);
    await tried.count(2, "the second try");
    await turn();
    context.mock.timers.tick(500);
    await marks.count(1, "the end");
    assert.equal(tried.items.length, 3);
  });

  it("counts a message that is never taken, and takes its neighbours", async () => {
    const { inbox, marks, missed, emitted } = create({
      emit: async (messages) => {
        if (messages.some(({ text }) => text === "bad")) throw new GatewayError("too_large", "Cannot accept");
      },
    });
    inbox.hold();
    for (const [index, text] of ["one", "bad", "two"].entries()) inbox.push(event(text), mark(index));
    inbox.release();
    await marks.count(1, "the batch's end");
    assert.deepEqual(missed, ["bad"]);
    assert.deepEqual(
      emitted.items.filter((texts) => texts.length === 1),
      [["one"], ["bad"], ["two"]],
    );
  });

  it("goes on after an event that cannot be translated", async () => {
    const { inbox, emitted, refused } = create({
      translate: async ({ type }) => {
        if (type === "broken") throw new TypeError("nonsense");
        return [{ message: message(type) }];
      },
    });
    inbox.push(event("broken"), mark(1));
    inbox.push(event("fine"), mark(2));
    await emitted.first((texts) => texts.includes("fine"), "the next one");
    assert.deepEqual(refused, ["broken"]);
  });

  it("drops the oldest of too many, and counts them", () => {
    const { inbox, missed } = create({});
    inbox.hold();
    for (let index = 0; index < 4_100; index += 1) inbox.push(event(`${index}`), mark(index));
    assert.deepEqual(missed, ["0", "1", "2", "3"]);
  });

  it("emits nothing more once its generation has ended", async () => {
    const ending = new AbortController();
    const { inbox, emitted } = create({ signal: ending.signal });
    ending.abort(new Error("over"));
    inbox.push(event("a"), mark(1));
    await turn();
    assert.deepEqual(emitted.items, []);
  });
});

function create(parts: Partial<InboxParts>) {
  const marks = new Observed<Mark>();
  const emitted = new Observed<readonly string[]>();
  const missed: string[] = [];
  const refused: string[] = [];
  const { emit = async () => {}, ...rest } = parts;
  const inbox = new Inbox({
    translate: async ({ type }) => [{ message: message(type) }],
    onMark: (each) => marks.add(each),
    onMissed: ({ type }) => missed.push(type),
    onRefused: ({ type }) => refused.push(type),
    signal: new AbortController().signal,
    ...rest,
    emit: (messages) => {
      emitted.add(messages.map(({ text }) => text));
      return emit(messages);
    },
  });
  return { inbox, marks, emitted, missed, refused };
}

function event(type: string) {
  return { type, data: {} };
}

function message(text: string): EmittedMessage {
  return { id: text, conversation: "c", sender: { id: "u" }, text };
}

function mark(sequence: number): Mark {
  return { session: { id: "s", resumeUrl: "wss://x", sequence }, atMs: 0 };
}

function sequences(marks: Observed<Mark>): readonly (number | undefined)[] {
  return marks.items.map(({ session }) => session?.sequence);
}

async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
