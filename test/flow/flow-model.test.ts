/** Random accepts, answers, failures and crashes against what must hold whatever happens. */
import assert from "node:assert/strict";
import { describe, it, mock } from "node:test";
import * as fc from "fast-check";
import type { Delivery, Settlement } from "../../src/contract/delivery.ts";
import { GatewayError } from "../../src/contract/errors.ts";
import { type FakeJournal, settled } from "../support/fake-journal.ts";
import { messageId, startFlow, TestConsumer, type TestFlow, type TestMessage } from "../support/flow-fixture.ts";

const unavailable = new GatewayError("journal_unavailable", "Cannot write: no disk");

const lanes = fc.record({ key: fc.constantFrom("webhook", "slack:ops"), conversation: fc.constantFrom("a", "b") });
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
      lane: lanes,
      count: fc.integer({ min: 1, max: 40 }),
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
  { weight: 1, arbitrary: fc.record({ do: fc.constant("fail" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("reattach" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("revive" as const) }) },
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

  private constructor(started: TestFlow) {
    this.#started = started;
  }

  static async start(): Promise<Model> {
    const model = new Model(await startFlow({ maxBytes: () => 1e9 }));
    model.#attach();
    model.#started.journal.hold();
    return model;
  }

  async run(step: Step): Promise<void> {
    const { flow, journal } = this.#started;
    const held = this.#consumers.flatMap((consumer) => consumer.held.map((delivery) => ({ consumer, delivery })));
    switch (step.do) {
      case "send": {
        const old = this.#sent[(step.count * 7) % Math.max(1, this.#sent.length)];
        const fresh = Array.from({ length: step.count }, (_, index) => ({
          key: step.lane.key,
          message: { id: this.#sent.length + index, conversation: step.lane.conversation },
        }));
        this.#sent.push(...fresh);
        this.#send(step.lane.key, [...fresh, ...(step.again && old?.key === step.lane.key ? [old] : [])]);
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
        const reply = step.reply ? { index: 0, response: new Uint8Array(2) } : null;
        consumer.line.settle([{ receipt, outcome: step.outcome, reply }]).catch(() => {});
        break;
      }
      case "late": {
        const delivery = this.#late[step.at % Math.max(1, this.#late.length)];
        if (delivery === undefined) break;
        for (const { line } of this.#consumers)
          line.settle([{ receipt: delivery.receipt, outcome: { kind: "ack" }, reply: null }]).catch(() => {});
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
        this.#attach();
        break;
      }
      case "revive": {
        const dead = [...journal.rows.values()].find((row) => row.state === "dead");
        if (dead === undefined) break;
        this.#revived.add(dead.seq);
        flow.deadLetters.retry(dead.id).catch(() => {});
        break;
      }
      case "crash":
        await this.#crash(step.isLastApplied);
        break;
    }
    await settled();
  }

  /** Everything works from now on; all that is left is handled. */
  async finish(): Promise<void> {
    await this.#started.journal.resume();
    for (let quiet = 0; quiet < 3;) {
      const before = this.#consumers.reduce((total, { got }) => total + got.length, 0);
      // Not waited for: a write that failed before is tried again when the time below has passed.
      for (const consumer of this.#consumers) consumer.ackAll().catch(() => {});
      await settled();
      mock.timers.tick(70_000);
      await settled();
      const after = this.#consumers.reduce((total, { got }) => total + got.length, 0);
      quiet = after === before ? quiet + 1 : 0;
    }
  }

  /** Every accepted message is acked or dead, and the counts agree with the disk. */
  check(): void {
    const { flow, journal } = this.#started;
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
    assert.deepEqual(flow.counts().consumers["main"], { inFlight: 0, pending: 0, dead: dead.length });
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
    this.#started = await startFlow({ journal: next, maxBytes: () => 1e9, random: () => life / 1000 });
    next.hold();
    this.#consumers = [];
    this.#attach();
  }

  #attach(): void {
    const consumer = new TestConsumer(this.#started.flow, { concurrency: 3, maxAttempts: 3, timeoutMs: 20_000 });
    consumer.onDeliver = (deliveries) => this.#onDeliver(deliveries);
    this.#consumers.push(consumer);
  }

  #onDeliver(deliveries: readonly Delivery[]): void {
    const { rows } = this.#started.journal;
    for (const { seq, key, conversation, attempt, redelivered, payload, id } of deliveries) {
      const row = rows.get(seq);
      assert.equal(row?.state, "pending", `${seq} was delivered and is ${row?.state}`);
      assert.equal(row?.leased, true, `${seq} was delivered before its lease was on disk`);
      assert.deepEqual([row?.id, row?.attempt, row?.payload], [id, attempt, new Uint8Array(payload)]);
      assert.ok(redelivered || attempt === 1);
      for (const other of rows.values()) {
        if (other.seq >= seq) break;
        if (other.key !== key || other.conversation !== conversation || other.state !== "pending") continue;
        assert.ok(this.#revived.has(other.seq) || this.#revived.has(seq), `${seq} passed ${other.seq}`);
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
  it("acks or buries every accepted message exactly once and in order, over crashes too", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(steps, { minLength: 10, maxLength: 80, size: "max" }), async (list) => {
        mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: 1_000_000 });
        try {
          const model = await Model.start();
          for (const step of list) await model.run(step);
          await model.finish();
          model.check();
        } finally {
          mock.timers.reset();
        }
      }),
      { numRuns: 100 },
    );
  });
});
