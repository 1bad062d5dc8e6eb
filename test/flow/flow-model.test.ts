/** Random accepts, answers, failures and crashes against what must hold whatever happens. */
import assert from "node:assert/strict";
import { describe, it, mock } from "node:test";
import * as fc from "fast-check";
import type { Delivery, Settlement } from "../../src/contract/delivery.ts";
import { GatewayError } from "../../src/contract/errors.ts";
import { FlowDispatcher } from "../../src/flow/dispatcher.ts";
import { laneLimits, type LaneLimits } from "../../src/flow/lane-limits.ts";
import { type FakeJournal, settled } from "../support/fake-journal.ts";
import { messageId, startFlow, TestConsumer, type TestFlow, type TestMessage } from "../support/flow-fixture.ts";

const unavailable = new GatewayError("journal_unavailable", "Cannot write: no disk");

const consumerNames = ["main", "other"] as const;
const maxAttempts = 3;
/** Next to nothing, in all proportions. */
const tinyLimits: fc.Arbitrary<LaneLimits> = fc.record({
  perLane: fc.integer({ min: 1, max: 4 }),
  messages: fc.integer({ min: 1, max: 12 }),
  perFullLane: fc.constant(1),
  lanes: fc.integer({ min: 1, max: 4 }),
  lanesPerBacklog: fc.integer({ min: 1, max: 2 }),
  pageRows: fc.integer({ min: 1, max: 4 }),
  pageSeqs: fc.integer({ min: 1, max: 8 }),
});

const addressed = fc.record({
  conversation: fc.constantFrom("a", "b", "c", "d", "e"),
  consumer: fc.constantFrom(...consumerNames),
});
const outcomes: fc.Arbitrary<Settlement["outcome"]> = fc.oneof(
  { weight: 5, arbitrary: fc.constant({ kind: "ack" } as const) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(0, 5, null).map((delayMs) => ({ kind: "nack", delayMs, error: null }) as const),
  },
  { weight: 1, arbitrary: fc.constant({ kind: "reject", reason: "no" } as const) },
);
const steps = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("send" as const),
      key: fc.constantFrom("webhook", "slack:ops"),
      // Many to one conversation, or some to each.
      to: fc.oneof(
        fc
          .tuple(addressed, fc.integer({ min: 1, max: 40 }))
          .map(([one, count]) => Array.from({ length: count }, () => one)),
        fc.array(addressed, { minLength: 1, maxLength: 8, size: "max" }),
      ),
      again: fc.boolean(),
    }),
  },
  {
    weight: 10,
    arbitrary: fc.record({ do: fc.constant("answer" as const), at: fc.nat(), outcome: outcomes, reply: fc.boolean() }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("late" as const), at: fc.nat() }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("release" as const), at: fc.nat(), countAttempt: fc.boolean() }),
  },
  { weight: 8, arbitrary: fc.record({ do: fc.constant("finish" as const), count: fc.integer({ min: 1, max: 4 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("tick" as const), ms: fc.constantFrom(10, 300, 3_000, 50_000) }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("ack" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("fail" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("reattach" as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("revive" as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("crash" as const), isLastApplied: fc.boolean() }) },
);
type Step = typeof steps extends fc.Arbitrary<infer Value> ? Value : never;

/** The gateway through several lives over one disk, and what must hold at each delivery. */
class Model {
  #started: TestFlow;
  #consumers: TestConsumer[] = [];
  readonly #accepted = new Set<string>();
  readonly #revived = new Set<number>();
  readonly #sent: { readonly key: string; readonly message: TestMessage }[] = [];
  #late: Delivery[] = [];
  #lives = 1;
  readonly #limits: LaneLimits;
  /** Answered for good in this life, on disk or not yet. */
  readonly #finished = new Set<number>();
  /** The last attempt of each that was delivered in this life. */
  readonly #attempts = new Map<number, number>();
  #violation: unknown = null;

  private constructor(started: TestFlow, limits: LaneLimits) {
    this.#started = started;
    this.#limits = limits;
  }

  static async start(limits: LaneLimits): Promise<Model> {
    const model = new Model(await startFlow({ maxBytes: () => 1e9, limits }), limits);
    model.#attach(...consumerNames);
    model.#started.journal.hold({ questions: true });
    return model;
  }

  async run(step: Step): Promise<void> {
    const { flow, journal } = this.#started;
    const held = this.#consumers.flatMap((consumer) => consumer.held.map((delivery) => ({ consumer, delivery })));
    switch (step.do) {
      case "send": {
        const { key, to } = step;
        const old = this.#sent[(to.length * 7) % Math.max(1, this.#sent.length)];
        const fresh = to.map(({ conversation, consumer }, index) => ({
          key,
          message: { id: this.#sent.length + index, conversation, routing: { consumer } },
        }));
        this.#sent.push(...fresh);
        this.#send(key, [...fresh, ...(step.again && old?.key === key ? [old] : [])]);
        break;
      }
      case "answer":
      case "release": {
        const chosen = held[step.at % Math.max(1, held.length)];
        if (chosen === undefined) break;
        const { consumer, delivery } = chosen;
        consumer.held.splice(consumer.held.indexOf(delivery), 1);
        this.#late.push(delivery);
        const { receipt } = delivery;
        if (step.do === "release") {
          consumer.line.release([receipt], { countAttempt: step.countAttempt, error: null });
          break;
        }
        if (step.outcome.kind !== "nack" && consumer.line.lookup(receipt) !== null) this.#finished.add(delivery.seq);
        const reply = step.reply ? { index: 0, response: new Uint8Array(2) } : null;
        consumer.line.settle([{ receipt, outcome: step.outcome, reply }]).catch(() => {});
        break;
      }
      case "ack":
        for (const consumer of this.#consumers) {
          this.#late.push(...consumer.held);
          this.#noteAll(consumer);
          consumer.ackAll().catch(() => {});
        }
        await journal.finish(3);
        break;
      case "late": {
        const delivery = this.#late[step.at % Math.max(1, this.#late.length)];
        if (delivery === undefined) break;
        for (const { line } of this.#consumers) {
          if (line.lookup(delivery.receipt) !== null) this.#finished.add(delivery.seq);
          line.settle([{ receipt: delivery.receipt, outcome: { kind: "ack" }, reply: null }]).catch(() => {});
        }
        break;
      }
      case "finish":
        await journal.finish(step.count);
        break;
      case "tick":
        mock.timers.tick(step.ms);
        break;
      case "fail":
        journal.fail(unavailable);
        await journal.finish();
        journal.fail(null);
        break;
      case "reattach": {
        const [old] = this.#consumers.splice(0, 1);
        void old?.line.detach(0);
        mock.timers.tick(1);
        if (old !== undefined) this.#attach(old.name);
        break;
      }
      case "revive": {
        const dead = [...journal.rows.values()].find((row) => row.state === "dead");
        if (dead === undefined) break;
        this.#revived.add(dead.seq);
        this.#finished.delete(dead.seq);
        this.#attempts.delete(dead.seq);
        flow.deadLetters.retry(dead.id).catch(() => {});
        break;
      }
      case "crash":
        await this.#crash(step.isLastApplied);
        break;
    }
    await settled();
    if (this.#violation !== null) throw this.#violation;
    this.#checkMemory();
  }

  /** Everything works from now on; all that is left is handled. */
  async finish(): Promise<void> {
    await this.#started.journal.resume();
    for (let quiet = 0; quiet < 20;) {
      const before = this.#consumers.reduce((total, { got }) => total + got.length, 0);
      // Not waited for: a write that failed before is tried again when the time below has passed.
      for (const consumer of this.#consumers) {
        this.#noteAll(consumer);
        consumer.ackAll().catch(() => {});
      }
      await settled();
      mock.timers.tick(70_000);
      await settled();
      if (this.#violation !== null) throw this.#violation;
      const after = this.#consumers.reduce((total, { got }) => total + got.length, 0);
      quiet = after === before ? quiet + 1 : 0;
    }
  }

  /** Every accepted message is acked or dead, and the counts agree with the disk. */
  check(): void {
    const { flow, journal } = this.#started;
    if (this.#violation !== null) throw this.#violation;
    const rows = [...journal.rows.values()];
    const byId = new Map(rows.map((row) => [row.id, row]));
    for (const id of this.#accepted) assert.ok(byId.has(id), `${id} was accepted and is not there`);
    for (const { seq, state } of rows) assert.ok(state === "acked" || state === "dead", `${seq} is ${state}`);
    const dead = rows.filter(({ state }) => state === "dead");
    for (const [key, counts] of Object.entries(flow.counts().keys)) {
      const own = dead.filter((row) => row.key === key);
      const bytes = own.reduce((total, row) => total + row.payload.length, 0);
      const { pending, leased, unackedBytes } = counts;
      const found = { pending, leased, dead: counts.dead, unackedBytes };
      assert.deepEqual(found, { pending: 0, leased: 0, dead: own.length, unackedBytes: bytes });
    }
    for (const name of consumerNames) {
      const own = dead.filter((row) => row.consumer === name);
      assert.deepEqual(flow.counts().consumers[name], { inFlight: 0, pending: 0, dead: own.length });
    }
  }

  /** What is in memory is bounded, whatever waits. */
  #checkMemory(): void {
    const { dispatcher } = this.#started.flow;
    assert.ok(dispatcher instanceof FlowDispatcher);
    const { lanes: mostLanes, lanesPerBacklog, messages, perFullLane } = this.#limits;
    const backlogs = 4;
    const bound = mostLanes + backlogs * lanesPerBacklog;
    assert.ok(dispatcher.lanes.size <= bound, `${dispatcher.lanes.size} lanes`);
    const held = dispatcher.lanes.messages;
    assert.ok(held <= messages + bound * perFullLane, `${held} messages`);
  }

  #noteAll({ held, line }: TestConsumer): void {
    for (const { seq, receipt } of held) if (line.lookup(receipt) !== null) this.#finished.add(seq);
  }

  #send(key: string, messages: readonly { readonly message: TestMessage }[]): void {
    const list = messages.map(({ message }) => message);
    void this.#started.send(key, list).then((error) => {
      if (error === null) for (const { id } of list) this.#accepted.add(messageId(id));
      return error;
    });
  }

  async #crash(isLastApplied: boolean): Promise<void> {
    const { journal } = this.#started;
    const next: FakeJournal = journal.reopen({ isLastApplied });
    for (const consumer of this.#consumers) {
      this.#late.push(...consumer.held.splice(0));
      consumer.onDeliver = () => {};
    }
    this.#lives += 1;
    const life = this.#lives;
    this.#started = await startFlow({
      journal: next,
      maxBytes: () => 1e9,
      random: () => life / 1000,
      limits: this.#limits,
    });
    next.hold({ questions: true });
    this.#consumers = [];
    this.#finished.clear();
    this.#attempts.clear();
    this.#attach(...consumerNames);
  }

  #attach(...names: readonly string[]): void {
    for (const name of names) {
      const limits = { concurrency: 3, maxAttempts, timeoutMs: 20_000 };
      const consumer = new TestConsumer(this.#started.flow, { name, ...limits });
      consumer.onDeliver = (deliveries) => {
        try {
          this.#onDeliver(deliveries);
        } catch (reason) {
          // Thrown here, the flow would take it for the consumer's.
          this.#violation ??= reason;
        }
      };
      this.#consumers.push(consumer);
    }
  }

  #onDeliver(deliveries: readonly Delivery[]): void {
    const { rows } = this.#started.journal;
    for (const { seq, key, conversation, attempt, redelivered, payload, id } of deliveries) {
      const row = rows.get(seq);
      assert.equal(row?.state, "pending", `${seq} was delivered and is ${row?.state}`);
      assert.equal(row?.leased, true, `${seq} was delivered before its lease was on disk`);
      assert.deepEqual([row?.id, row?.attempt, row?.payload], [id, attempt, new Uint8Array(payload)]);
      assert.ok(redelivered || attempt === 1);
      assert.ok(!this.#finished.has(seq), `${seq} was delivered after it was done`);
      this.#attempts.set(seq, attempt);
      for (const other of rows.values()) {
        if (other.seq >= seq) break;
        if (other.key !== key || other.conversation !== conversation || other.state !== "pending") continue;
        // Its outcome may still be on its way to the disk.
        const isDone = this.#finished.has(other.seq) || (this.#attempts.get(other.seq) ?? 0) >= maxAttempts;
        assert.ok(isDone || this.#revived.has(other.seq) || this.#revived.has(seq), `${seq} passed ${other.seq}`);
      }
    }
    const out = this.#consumers.flatMap(({ held, line }) =>
      held.filter(({ receipt }) => line.lookup(receipt) !== null),
    );
    const busy = out.map(({ key, conversation }) => `${key}/${conversation}`);
    assert.equal(new Set(busy).size, busy.length, `two of one lane are out: ${busy.join(" ")}`);
  }
}

describe("Flow, whatever happens", () => {
  const rows = [
    ["acks or buries every accepted message exactly once and in order, over crashes too", fc.constant(laneLimits), 100],
    ["does so with next to no memory, leaving on disk what it has no room for", tinyLimits, 200],
  ] as const;
  for (const [title, limits, numRuns] of rows)
    it(title, async () => {
      await fc.assert(
        fc.asyncProperty(limits, fc.array(steps, { minLength: 10, maxLength: 80, size: "max" }), async (own, list) => {
          mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: 1_000_000 });
          try {
            const model = await Model.start(own);
            for (const step of list) await model.run(step);
            await model.finish();
            model.check();
          } finally {
            mock.timers.reset();
          }
        }),
        { numRuns },
      );
    });
});
