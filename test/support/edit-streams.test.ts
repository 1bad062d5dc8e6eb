import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import * as fc from "fast-check";
import { GatewayError } from "../../src/contract/errors.ts";
import type { ReplyTo } from "../../src/contract/message.ts";
import { EditStreams } from "../../src/support/edit-streams.ts";
import { turns } from "./turns.ts";

const periodMs = 1000;
const placeholder = "…";
const longestPart = 10;

type Call = {
  readonly kind: "post" | "edit";
  readonly conversation: string;
  readonly text: string;
  readonly atMs: number;
};
type FakeMessage = {
  readonly id: string;
  readonly conversation: string;
  readonly replyTo: ReplyTo | null;
  text: string;
};

function fit(text: string): readonly string[] {
  return text.match(/.{1,10}/gsu) ?? [];
}

/** A platform on mocked time: what it shows, and every call that reached it. */
class Rig implements Disposable {
  readonly messages: FakeMessage[] = [];
  readonly calls: Call[] = [];
  readonly errors: unknown[] = [];
  /** Runs before a call takes effect; rejecting is the platform's refusal. */
  before: (call: Call) => Promise<void> = async () => {};
  readonly streams: EditStreams;
  readonly #test: TestContext;

  constructor(test: TestContext, mostOpen = 100) {
    this.#test = test;
    test.mock.timers.reset();
    test.mock.timers.enable({ apis: ["setTimeout", "Date"] });
    this.streams = new EditStreams({
      periodMs,
      mostOpen,
      placeholder,
      fit,
      post: async (conversation, text, replyTo) => {
        await this.#call({ kind: "post", conversation, text, atMs: Date.now() });
        const message = { id: `m${this.messages.length}`, conversation, replyTo, text };
        this.messages.push(message);
        return message.id;
      },
      edit: async (conversation, messageId, text) => {
        await this.#call({ kind: "edit", conversation, text, atMs: Date.now() });
        const message = this.messages.find(({ id }) => id === messageId);
        assert.ok(message !== undefined && message.conversation === conversation);
        assert.notEqual(message.text, text, "platforms refuse an edit that changes nothing");
        message.text = text;
      },
      onError: (reason) => this.errors.push(reason),
    });
  }

  shown(conversation = "a"): readonly string[] {
    return this.messages.filter((each) => each.conversation === conversation).map(({ text }) => text);
  }

  get edits(): readonly string[] {
    return this.calls.filter(({ kind }) => kind === "edit").map(({ text }) => text);
  }

  async pass(durationMs: number): Promise<void> {
    await turns();
    this.#test.mock.timers.tick(durationMs);
    await turns();
  }

  /** `promise`, while time goes on. */
  async settle<Value>(promise: Promise<Value>): Promise<Value> {
    let isSettled = false;
    const settled = (): void => {
      isSettled = true;
    };
    promise.then(settled, settled);
    for (let step = 0; step < 100 && !isSettled; step += 1) await this.pass(periodMs / 4);
    assert.ok(isSettled, "it settles");
    return promise;
  }

  [Symbol.dispose](): void {
    this.streams[Symbol.dispose]();
  }

  async #call(call: Call): Promise<void> {
    this.calls.push(call);
    assert.ok(call.text.length > 0 && call.text.length <= longestPart, `a text of ${call.text.length}`);
    await this.before(call);
  }
}

const refused = new GatewayError("message_rejected", "Cannot edit: no such message");

const away = new GatewayError("platform_unavailable", "Cannot post: no route");

/** Rejects calls of `kind` with `reason`, the first `times`. */
function failing(kind: Call["kind"], reason: Error, times = Infinity): (call: Call) => Promise<void> {
  let left = times;
  return async (call) => {
    if (call.kind !== kind || left === 0) return;
    left -= 1;
    throw reason;
  };
}

describe("EditStreams", () => {
  it("posts a placeholder, edits it as the text grows and says everything at the end", async (t) => {
    using rig = new Rig(t);
    const id = await rig.streams.start("a", { thread: "7" });
    assert.deepEqual(rig.shown(), [placeholder]);
    assert.deepEqual(rig.messages[0]?.replyTo, { thread: "7" });
    rig.streams.chunk("a", "one");
    await rig.pass(periodMs);
    assert.deepEqual(rig.shown(), ["one"]);
    assert.equal(await rig.settle(rig.streams.end("a", "one two", { thread: "7" })), id);
    assert.deepEqual(rig.shown(), ["one two"]);
    assert.deepEqual(rig.errors, []);
  });

  it("flushes the full text at the end, also when the last edit was just now", async (t) => {
    using rig = new Rig(t);
    await rig.streams.start("a", null);
    rig.streams.chunk("a", "one");
    await rig.pass(periodMs);
    rig.streams.chunk("a", "one two");
    await rig.settle(rig.streams.end("a", "one two 3", null));
    assert.deepEqual(rig.edits, ["one", "one two 3"]);
  });

  it("edits the first part and posts the rest of a text too long for one message", async (t) => {
    using rig = new Rig(t);
    const id = await rig.streams.start("a", null);
    assert.equal(await rig.settle(rig.streams.end("a", "0123456789abcdefghijKLM", { thread: "7" })), id);
    assert.deepEqual(rig.shown(), ["0123456789", "abcdefghij", "KLM"]);
    assert.deepEqual(rig.messages.at(-1)?.replyTo, { thread: "7" });
  });

  it("shows the last chunk's text at an end without any", async (t) => {
    using rig = new Rig(t);
    await rig.streams.start("a", null);
    rig.streams.chunk("a", "said");
    await rig.settle(rig.streams.end("a", "", null));
    assert.deepEqual(rig.shown(), ["said"]);
  });

  it("leaves the placeholder where nothing was ever said", async (t) => {
    using rig = new Rig(t);
    const id = await rig.streams.start("a", null);
    assert.equal(await rig.settle(rig.streams.end("a", "", null)), id);
    assert.deepEqual(rig.shown(), [placeholder]);
  });

  it("makes no edit that changes nothing", async (t) => {
    using rig = new Rig(t);
    await rig.streams.start("a", null);
    rig.streams.chunk("a", "0123456789");
    await rig.pass(periodMs);
    rig.streams.chunk("a", "0123456789 and more than fits");
    await rig.pass(periodMs);
    rig.streams.chunk("a", "");
    await rig.pass(periodMs);
    await rig.settle(rig.streams.end("a", "0123456789", null));
    assert.deepEqual(rig.edits, ["0123456789"]);
  });

  it("posts the text at an end whose start another life has seen", async (t) => {
    using rig = new Rig(t);
    rig.streams.chunk("a", "lost");
    assert.equal(await rig.streams.end("a", "0123456789abc", { thread: "7" }), "m0");
    assert.deepEqual(rig.shown(), ["0123456789", "abc"]);
    assert.deepEqual(rig.messages[0]?.replyTo, { thread: "7" });
  });

  it("refuses an end that has nothing to say and nothing to show it in", async (t) => {
    using rig = new Rig(t);
    await assert.rejects(rig.streams.end("a", "", null), { code: "message_rejected" });
    assert.deepEqual(rig.calls, []);
  });

  it("shows chunks that come before the placeholder is there, and ends only then", async (t) => {
    using rig = new Rig(t);
    const arriving = Promise.withResolvers<void>();
    rig.before = ({ kind }) => (kind === "post" ? arriving.promise : Promise.resolve());
    const started = rig.streams.start("a", null);
    rig.streams.chunk("a", "early");
    const ended = rig.streams.end("a", "all of it", null);
    await rig.pass(periodMs * 2);
    assert.equal(rig.calls.length, 1);
    arriving.resolve();
    assert.equal(await rig.settle(ended), await started);
    assert.deepEqual(rig.shown(), ["all of it"]);
  });

  it("waits at the end for an edit on its way, so that it cannot overtake", async (t) => {
    using rig = new Rig(t);
    await rig.streams.start("a", null);
    const arriving = Promise.withResolvers<void>();
    rig.before = () => arriving.promise;
    rig.streams.chunk("a", "slow");
    await rig.pass(periodMs);
    const ended = rig.streams.end("a", "final", null);
    await rig.pass(periodMs * 3);
    assert.deepEqual(rig.edits, ["slow"]);
    arriving.resolve();
    await rig.settle(ended);
    assert.deepEqual(rig.shown(), ["final"]);
  });

  it("has one edit on its way at a time, and shows then what came meanwhile", async (t) => {
    using rig = new Rig(t);
    await rig.streams.start("a", null);
    const arriving = Promise.withResolvers<void>();
    rig.before = () => arriving.promise;
    rig.streams.chunk("a", "slow");
    await rig.pass(periodMs);
    rig.streams.chunk("a", "newer");
    await rig.pass(periodMs * 3);
    assert.deepEqual(rig.edits, ["slow"]);
    arriving.resolve();
    await turns();
    assert.deepEqual(rig.edits, ["slow", "newer"]);
  });

  it("keeps conversations apart", async (t) => {
    using rig = new Rig(t);
    await Promise.all([rig.streams.start("a", null), rig.streams.start("b", null)]);
    rig.streams.chunk("a", "to a");
    rig.streams.chunk("b", "to b");
    await rig.pass(periodMs);
    assert.deepEqual([rig.shown("a"), rig.shown("b")], [["to a"], ["to b"]]);
  });

  it("replaces a stream that never ended, and edits that one no more", async (t) => {
    using rig = new Rig(t);
    await rig.streams.start("a", null);
    rig.streams.chunk("a", "first");
    await rig.streams.start("a", null);
    await rig.settle(rig.streams.end("a", "second", null));
    await rig.pass(periodMs * 2);
    assert.deepEqual(rig.shown(), [placeholder, "second"]);
  });

  it("forgets the oldest stream when there are too many, whose end is then posted", async (t) => {
    using rig = new Rig(t, 2);
    for (const conversation of ["a", "b", "c"]) await rig.streams.start(conversation, null);
    rig.streams.chunk("a", "lost");
    await rig.pass(periodMs);
    await rig.settle(rig.streams.end("c", "c's", null));
    await rig.settle(rig.streams.end("a", "a's", null));
    await rig.settle(rig.streams.end("b", "b's", null));
    assert.deepEqual([rig.shown("a"), rig.shown("b"), rig.shown("c")], [[placeholder, "a's"], ["b's"], ["c's"]]);
  });
});

describe("EditStreams when the platform refuses", () => {
  it("rejects a start whose post fails, and posts the end", async (t) => {
    using rig = new Rig(t);
    rig.before = failing("post", refused, 1);
    await assert.rejects(rig.streams.start("a", null), refused);
    rig.streams.chunk("a", "one");
    await rig.pass(periodMs);
    await rig.streams.end("a", "one two", null);
    assert.deepEqual(rig.shown(), ["one two"]);
    assert.deepEqual(rig.edits, []);
  });

  it("posts an end that waited for a placeholder that never came", async (t) => {
    using rig = new Rig(t);
    const arriving = Promise.withResolvers<void>();
    rig.before = () => arriving.promise;
    const started = assert.rejects(rig.streams.start("a", null), refused);
    const ended = rig.streams.end("a", "all", null);
    arriving.reject(refused);
    rig.before = async () => {};
    await started;
    await rig.settle(ended);
    assert.deepEqual(rig.shown(), ["all"]);
  });

  it("goes on with the next chunk after an edit that failed", async (t) => {
    using rig = new Rig(t);
    await rig.streams.start("a", null);
    rig.before = failing("edit", refused, 1);
    rig.streams.chunk("a", "one");
    await rig.pass(periodMs);
    assert.deepEqual([rig.shown(), rig.errors], [[placeholder], [refused]]);
    rig.streams.chunk("a", "one two");
    await rig.pass(periodMs);
    assert.deepEqual(rig.shown(), ["one two"]);
  });

  it("posts the whole text when the last edit fails", async (t) => {
    using rig = new Rig(t);
    await rig.streams.start("a", null);
    rig.before = failing("edit", refused);
    assert.equal(await rig.settle(rig.streams.end("a", "0123456789abc", null)), "m1");
    assert.deepEqual(rig.shown(), [placeholder, "0123456789", "abc"]);
    assert.deepEqual(rig.errors, [refused]);
  });

  const limited = new GatewayError("rate_limited", "Cannot edit: too fast", {
    retry: { kind: "after", delayMs: periodMs * 8 },
  });

  it("makes no edit before the time that the platform asks for is over", async (t) => {
    using rig = new Rig(t);
    await rig.streams.start("a", null);
    rig.before = failing("edit", limited, 1);
    rig.streams.chunk("a", "one");
    await rig.pass(periodMs);
    rig.streams.chunk("a", "two");
    await rig.pass(periodMs * 8 - 1);
    assert.deepEqual(rig.edits, ["one"]);
    await rig.pass(1);
    assert.deepEqual(rig.edits, ["one", "two"]);
  });

  it("hands back an end that may not be edited yet instead of posting a second message, and edits when it is sent again", async (t) => {
    using rig = new Rig(t);
    await rig.streams.start("a", null);
    rig.before = failing("edit", limited, 1);
    await assert.rejects(rig.settle(rig.streams.end("a", "final", null)), limited);
    await rig.settle(rig.streams.end("a", "final", null));
    assert.deepEqual(rig.shown(), ["final"]);
  });

  it("does not even try an end while a chunk's limit holds", async (t) => {
    using rig = new Rig(t);
    await rig.streams.start("a", null);
    rig.before = failing("edit", limited, 1);
    rig.streams.chunk("a", "one");
    await rig.pass(periodMs);
    await assert.rejects(rig.streams.end("a", "final", null), limited);
    assert.deepEqual(rig.edits, ["one"]);
    await rig.pass(periodMs * 8);
    await rig.settle(rig.streams.end("a", "final", null));
    assert.deepEqual(rig.shown(), ["final"]);
  });

  it("goes on where an end failed half-way, saying nothing twice", async (t) => {
    using rig = new Rig(t);
    const id = await rig.streams.start("a", null);
    rig.before = async (call) => {
      if (call.text === "KLM") throw away;
    };
    const text = "0123456789abcdefghijKLM";
    await assert.rejects(rig.settle(rig.streams.end("a", text, null)), away);
    assert.deepEqual(rig.shown(), ["0123456789", "abcdefghij"]);
    rig.before = async () => {};
    assert.equal(await rig.settle(rig.streams.end("a", text, null)), id);
    assert.deepEqual(rig.shown(), ["0123456789", "abcdefghij", "KLM"]);
  });

  it("says an end once that is asked for again while it is at work", async (t) => {
    using rig = new Rig(t);
    await rig.streams.start("a", null);
    const ends = [rig.streams.end("a", "final", null), rig.streams.end("a", "final", null)];
    assert.deepEqual(await rig.settle(Promise.all(ends)), ["m0", "m0"]);
    assert.deepEqual(rig.shown(), ["final"]);
  });
});

describe("EditStreams when disposed", () => {
  it("rejects the ends that wait, edits nothing more and starts nothing", async (t) => {
    using rig = new Rig(t);
    await rig.streams.start("a", null);
    rig.streams.chunk("a", "one");
    const ended = assert.rejects(rig.streams.end("a", "final", null), { code: "adapter_unavailable" });
    await rig.streams.start("b", null);
    rig.streams.chunk("b", "one");
    await turns();
    rig.streams[Symbol.dispose]();
    await ended;
    await rig.pass(periodMs * 3);
    assert.deepEqual(rig.edits, []);
    await assert.rejects(rig.streams.start("c", null), { code: "adapter_unavailable" });
    await assert.rejects(rig.streams.end("c", "text", null), { code: "adapter_unavailable" });
  });

  it("makes no further edit after the one on its way", async (t) => {
    using rig = new Rig(t);
    await rig.streams.start("a", null);
    const arriving = Promise.withResolvers<void>();
    rig.before = () => arriving.promise;
    rig.streams.chunk("a", "one");
    await rig.pass(periodMs);
    rig.streams.chunk("a", "two");
    rig.streams[Symbol.dispose]();
    arriving.resolve();
    await rig.pass(periodMs * 3);
    assert.deepEqual(rig.edits, ["one"]);
  });
});

describe("EditStreams whatever comes", () => {
  type Step =
    | { readonly kind: "chunk"; readonly text: string }
    | { readonly kind: "pass"; readonly durationMs: number }
    | { readonly kind: "fail"; readonly call: Call["kind"] };
  const text = fc.string({ minLength: 1, maxLength: 35, unit: fc.constantFrom("a", "b", "c", " ") });
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 4, arbitrary: text.map((said): Step => ({ kind: "chunk", text: said })) },
    {
      weight: 4,
      arbitrary: fc.integer({ min: 1, max: 1500 }).map((durationMs): Step => ({ kind: "pass", durationMs })),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom("post", "edit").map((call): Step => ({ kind: "fail", call })),
    },
  );

  it("shows the full text at the end, edits at most once a period, and only ever the latest", async (t) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), text, fc.boolean(), async (steps, final, isStarted) => {
        using rig = new Rig(t);
        let latest = "";
        let failNext: Call["kind"] | null = null;
        rig.before = async (call) => {
          if (call.kind === "edit") assert.equal(call.text, fit(latest)[0]);
          if (failNext !== call.kind) return;
          failNext = null;
          throw away;
        };
        if (isStarted) await rig.streams.start("a", null);
        for (const each of steps) {
          if (each.kind === "chunk") {
            latest = each.text;
            rig.streams.chunk("a", each.text);
          } else if (each.kind === "pass") await rig.pass(each.durationMs);
          else failNext = each.call;
        }
        latest = final;
        const end = (): Promise<string> => rig.settle(rig.streams.end("a", final, null));
        await end().catch(end);
        const whole = fit(final);
        const shown = rig.shown();
        const isEdited = isStarted && shown.length === whole.length;
        assert.deepEqual(isEdited || !isStarted ? shown : shown.slice(1), whole);
        // What an edit throws ends there, a failed assertion of ours among it.
        assert.ok(rig.errors.every((reason) => reason === away));
        const times = rig.calls.filter(({ kind }) => kind === "edit").map(({ atMs }) => atMs);
        for (const [index, atMs] of times.entries())
          assert.ok(index === 0 || atMs - (times[index - 1] ?? 0) >= periodMs, String(times));
      }),
      { numRuns: 200 },
    );
  });
});
