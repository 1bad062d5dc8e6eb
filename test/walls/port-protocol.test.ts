/** An adapter's thread and the coordinator over a port that delivers when it likes, a journal that commits when it likes, and threads that die in between. */
import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { describe, it, type TestContext } from "node:test";
import * as fc from "fast-check";
import { GatewayError, type ErrorCode } from "../../src/contract/errors.ts";
import { decodeFrame, encodeFrame, parseMeta, type Frame, type FrameKind } from "../../src/contract/frame.ts";
import { creditWindow, frameMessageLimit, type AcceptedMeta, type DataMeta } from "../../src/contract/protocol.ts";
import { AdapterTraffic } from "../../src/gateway/adapter-traffic.ts";
import { ResumeStates } from "../../src/gateway/resume-states.ts";
import { Emitter } from "../../workers/emitter.ts";
import { encodeMessage } from "../../workers/encode-message.ts";
import { settled, type FakeJournal } from "../support/fake-journal.ts";
import { startFlow, TestConsumer } from "../support/flow-fixture.ts";
import { mockTime } from "../support/mocked-time.ts";
import { silentLogger } from "../support/silent-logger.ts";
import { areAllWanted } from "../support/wall-tests.ts";

const key = "acme";
const gatherMs = 5;
/** For requests that no thread here makes. */
const nothing = { value: null };

const steps = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("emit" as const),
      count: fc.oneof(
        { weight: 4, arbitrary: fc.integer({ min: 1, max: 5 }) },
        { weight: 1, arbitrary: fc.integer({ min: 200, max: 900 }) },
      ),
      bytes: fc.oneof(
        { weight: 40, arbitrary: fc.constant(10) },
        { weight: 4, arbitrary: fc.constant(60_000) },
        { weight: 1, arbitrary: fc.constantFrom(3_000_000, 4_000_000) },
      ),
      again: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("storeResume" as const) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("turn" as const) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("gathered" as const) }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant("carry" as const), frames: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant("commit" as const), count: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant("answer" as const), frames: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("fail commits" as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("consume" as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("die" as const) }) },
);
type Step = typeof steps extends fc.Arbitrary<infer Value> ? Value : never;

/** A port whose frames wait until they are carried over, both ways. */
class SlowPort {
  readonly out: Uint8Array[] = [];
  readonly back: Uint8Array[] = [];
  readonly #listeners = new Map<number, (frame: Frame) => void>();
  #gatherers: (() => void)[] = [];

  send(kind: FrameKind, meta: unknown, body?: readonly Uint8Array[]): void {
    this.out.push(encodeFrame(kind, 0, meta, body));
  }

  onTurnEnd(gather: () => void): void {
    this.#gatherers.push(gather);
  }

  onFrame(kind: FrameKind, listener: (frame: Frame) => void): void {
    this.#listeners.set(kind, listener);
  }

  turn(): void {
    for (const gather of this.#gatherers.splice(0)) gather();
  }

  answer(bytes: Uint8Array): void {
    const frame = decodeFrame(bytes);
    this.#listeners.get(frame.kind)?.(frame);
  }
}

/** One thread: what it sent, and what the coordinator has told it. */
class Thread {
  readonly port = new SlowPort();
  readonly emitter = new Emitter(this.port, { key, platform: key });
  readonly generation: number;
  readonly #unaccepted = new Map<number, { readonly messages: number; readonly bytes: number }>();
  #lastFrame = 0;

  constructor(generation: number) {
    this.generation = generation;
  }

  /** Looks at each frame that leaves. */
  take(): Frame | null {
    const bytes = this.port.out.shift();
    return bytes === undefined ? null : decodeFrame(bytes);
  }

  /** All that was sent and not answered keeps within the window. */
  assertCredit(): void {
    for (const bytes of this.port.out) this.#note(decodeFrame(bytes));
    const sum = { messages: 0, bytes: 0 };
    for (const { messages, bytes } of this.#unaccepted.values()) {
      sum.messages += messages;
      sum.bytes += bytes;
    }
    assert.ok(sum.messages <= creditWindow.messages, `${sum.messages} messages are on their way`);
    const isOneAlone = sum.messages === 1;
    assert.ok(sum.bytes <= creditWindow.bytes || isOneAlone, `${sum.bytes} bytes are on their way`);
  }

  accepted(bytes: Uint8Array): void {
    const { frame } = parseMeta(decodeFrame(bytes)) as AcceptedMeta;
    assert.ok(this.#unaccepted.delete(frame), `frame ${frame} was answered twice, or never sent`);
    this.port.answer(bytes);
  }

  #note(frame: Frame): void {
    const { frame: number, headers } = parseMeta(frame) as DataMeta;
    if (number <= this.#lastFrame) return;
    assert.equal(number, this.#lastFrame + 1, "frames are numbered without a gap");
    assert.ok(headers.length <= frameMessageLimit);
    this.#lastFrame = number;
    this.#unaccepted.set(number, { messages: headers.length, bytes: frame.body.length });
  }
}

/** A frame that was handed over: what it says counts, also when its thread died and nobody waits for the answer. */
type HandedOver = {
  readonly ids: readonly string[];
  readonly resume: number;
  /** Commits that failed before it came. */
  readonly failuresBefore: number;
  /** How it was answered; `undefined`: not yet. */
  error?: ErrorCode | null;
};

class Model {
  readonly #journal: FakeJournal;
  readonly #traffic: AdapterTraffic;
  readonly #consumer: TestConsumer;
  readonly #resumeStates: ResumeStates;
  readonly #t: TestContext;
  readonly #stored = new Map<string, number>();
  #rowsSeen = 0;
  #thread = new Thread(1);
  #lastMessage = 0;
  /** Of the present thread, but for those that were refused. */
  #emits: (readonly string[])[] = [];
  #lastResume = 0;
  /** Whose `emit` has resolved. */
  readonly #promised: string[] = [];
  #resumePromised = 0;
  /** By generation and number of the frame. */
  readonly #handedOver = new Map<string, HandedOver>();
  #failures = 0;
  #unsettled = 0;
  #violation: unknown = null;

  private constructor(t: TestContext, started: Awaited<ReturnType<typeof startFlow>>, resumeStates: ResumeStates) {
    this.#t = t;
    this.#journal = started.journal;
    this.#consumer = new TestConsumer(started.flow, { concurrency: 256 });
    this.#resumeStates = resumeStates;
    this.#traffic = new AdapterTraffic({
      flow: started.flow,
      adapters: {
        send: ({ generation }, kind, meta, body) => {
          if (generation === this.#thread.generation)
            this.#thread.port.back.push(encodeFrame(kind, generation, meta, body));
          this.#noteAnswer(generation, meta);
        },
      },
      mailboxes: { read: () => ({ value: [] }), ack: () => {} },
      resumeStates,
      acquireBudget: async () => {},
      tokens: { lock: async () => nothing, store: async () => nothing, unlock: () => nothing },
      logger: silentLogger,
    });
    this.#journal.hold();
  }

  static async start(t: TestContext): Promise<Model> {
    mockTime(t);
    const started = await startFlow({ maxBytes: () => 60_000_000 });
    return new Model(t, started, await ResumeStates.load(started.journal));
  }

  async run(step: Step): Promise<void> {
    const { port } = this.#thread;
    switch (step.do) {
      case "emit":
        this.#emit(step.count, step.bytes, step.again);
        break;
      case "storeResume":
        this.#storeResume();
        break;
      case "turn":
        port.turn();
        break;
      case "gathered":
        this.#t.mock.timers.tick(gatherMs);
        break;
      case "carry":
        this.#carry(step.frames);
        break;
      case "commit":
        await this.#journal.finish(step.count);
        break;
      case "answer":
        for (const bytes of port.back.splice(0, step.frames)) this.#thread.accepted(bytes);
        break;
      case "fail commits":
        this.#failures += 1;
        this.#journal.fail(new GatewayError("journal_unavailable", "Cannot write: no disk"));
        await this.#journal.finish();
        this.#journal.fail(null);
        break;
      case "consume":
        this.#consumer.ackAll().catch(() => {});
        break;
      case "die":
        this.#die();
        break;
    }
    await settled();
    if (this.#violation !== null) throw this.#violation;
    this.#thread.assertCredit();
  }

  /** All that is on its way arrives: every emit is settled, and what was promised is there, once. */
  async end(): Promise<void> {
    for (let round = 0; round < 2_000 && this.#isBusy(); round += 1) {
      this.#t.mock.timers.tick(1_000);
      for (const name of ["turn", "gathered"] as const) await this.run({ do: name });
      await this.run({ do: "carry", frames: 100 });
      await this.run({ do: "commit", count: 100 });
      await this.run({ do: "answer", frames: 100 });
      await this.run({ do: "consume" });
    }
    assert.equal(this.#unsettled, 0, "an emit or a resume state was never answered");
    this.#assertStored(this.#promised);
    this.#assertHandedOverStored();
    for (const [id, times] of this.#stored) assert.equal(times, 1, `${id} was stored that often`);
  }

  #isBusy(): boolean {
    const { out, back } = this.#thread.port;
    return this.#unsettled > 0 || out.length > 0 || back.length > 0 || this.#journal.waiting > 0;
  }

  #emit(count: number, bytes: number, again: boolean): void {
    const { generation } = this.#thread;
    const many = bytes > 10 ? 2 : count;
    if (again) this.#lastMessage = Math.max(0, this.#lastMessage - many);
    const text = "x".repeat(bytes);
    const messages = Array.from({ length: many }, (_, index) => ({
      id: String((this.#lastMessage += 1)),
      conversation: `room ${index % 2}`,
      sender: { id: "u" },
      text,
    }));
    const ids = messages.map((message) => encodeMessage(message, { key, platform: key }, hash).header.id);
    this.#emits.push(ids);
    this.#unsettled += 1;
    this.#thread.emitter.emit(messages).then(
      (answer) => {
        if (generation !== this.#thread.generation) return;
        this.#unsettled -= 1;
        this.#promised.push(...ids);
        this.#check(() => {
          assert.deepEqual(answer, ids);
          this.#assertStored(ids);
        });
      },
      () => {
        if (generation !== this.#thread.generation) return;
        this.#unsettled -= 1;
        this.#emits = this.#emits.filter((emit) => emit !== ids);
      },
    );
  }

  #storeResume(): void {
    const { generation } = this.#thread;
    const state = (this.#lastResume += 1);
    const before = [...this.#emits];
    this.#unsettled += 1;
    this.#thread.emitter.storeResume(state).then(
      () => {
        if (generation !== this.#thread.generation) return;
        this.#unsettled -= 1;
        this.#resumePromised = Math.max(this.#resumePromised, state);
        this.#check(() => {
          const known = Number(this.#resumeStates.get(key));
          assert.ok(known >= state, `resume state ${state} was promised, ${known} would be given`);
          for (const ids of before) if (this.#emits.includes(ids)) this.#assertStored(ids);
        });
      },
      () => {
        if (generation === this.#thread.generation) this.#unsettled -= 1;
      },
    );
  }

  /** Looks at what was stored since the last time. */
  #assertStored(ids: readonly string[]): void {
    const { rows } = this.#journal;
    if (rows.size > this.#rowsSeen)
      for (const { id } of [...rows.values()].slice(this.#rowsSeen))
        this.#stored.set(id, (this.#stored.get(id) ?? 0) + 1);
    this.#rowsSeen = rows.size;
    for (const id of ids) assert.ok(this.#stored.has(id), `${id} is promised and is not stored`);
  }

  /** The thread is gone: what it had sent is drained, what it had not is nobody's. */
  #die(): void {
    this.#thread.assertCredit();
    this.#carry(Infinity);
    this.#unsettled = 0;
    this.#emits = [];
    this.#thread = new Thread(this.#thread.generation + 1);
    assert.ok(Number(this.#resumeStates.get(key) ?? 0) >= this.#resumePromised, "a promised resume state is kept");
  }

  #noteHandedOver(frame: Frame): void {
    const { frame: number, headers, resume } = parseMeta(frame) as DataMeta;
    this.#handedOver.set(`${this.#thread.generation}/${number}`, {
      ids: headers.map(({ id }) => id),
      resume: Number(resume ?? 0),
      failuresBefore: this.#failures,
    });
  }

  #noteAnswer(generation: number, meta: unknown): void {
    const { frame, error } = meta as AcceptedMeta;
    const handedOver = this.#handedOver.get(`${generation}/${frame}`);
    if (handedOver === undefined) return;
    this.#check(() => assert.equal(handedOver.error, undefined, `frame ${frame} was answered twice`));
    handedOver.error = error?.code ?? null;
  }

  /** Nothing is lost, on a drain either, but for what the journal could not take or had no room for. */
  #assertHandedOverStored(): void {
    for (const [name, { ids, resume, failuresBefore, error }] of this.#handedOver) {
      assert.notEqual(error, undefined, `the frame ${name} was never answered`);
      if (error === "journal_unavailable") assert.ok(this.#failures > failuresBefore, `${name} failed in no commit`);
      else if (error !== "queue_full") {
        assert.equal(error, null, name);
        this.#assertStored(ids);
        assert.ok(Number(this.#resumeStates.get(key) ?? 0) >= resume, `the resume state of ${name} is lost`);
      }
    }
  }

  #carry(frames: number): void {
    this.#thread.assertCredit();
    for (let carried = 0; carried < frames; carried += 1) {
      const frame = this.#thread.take();
      if (frame === null) return;
      this.#noteHandedOver(frame);
      this.#traffic.onFrame({ key, generation: this.#thread.generation }, frame);
    }
  }

  /** Inside a promise's handler nobody would hear an assertion. */
  #check(assertion: () => void): void {
    try {
      assertion();
    } catch (reason) {
      this.#violation ??= reason;
    }
  }
}

describe("The port between an adapter's thread and the coordinator", () => {
  it("keeps to its credit, answers every frame once, and loses nothing that was promised", async (t) => {
    await fc.assert(
      fc.asyncProperty(fc.array(steps, { size: "large", maxLength: 60 }), async (order) => {
        const model = await Model.start(t);
        for (const step of order) await model.run(step);
        await model.end();
      }),
      { numRuns: areAllWanted ? 1_500 : 20 },
    );
  });
});
