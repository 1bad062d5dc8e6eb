/** A flow over the in-memory journal, adapters that send frames and consumers that answer when told to. */
import type { TestContext } from "node:test";
import { createFlow, type Flow, type FlowOptions } from "../../src/flow/flow.ts";
import type { AcceptedMessage } from "../../src/flow/fan-in.ts";
import type {
  ConsumerLimits,
  ConsumerLine,
  ConsumerPort,
  Delivery,
  ReplyWriter,
  Settlement,
} from "../../src/contract/delivery.ts";
import type { GatewayError } from "../../src/contract/errors.ts";
import type { Routing, RoutingHeader } from "../../src/contract/message.ts";
import type { Binding, RouterSpec } from "../../src/contract/spec.ts";
import { FakeJournal, settled } from "./fake-journal.ts";
import { silentLogger } from "./silent-logger.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A message id made of a short name: `m` and 22 characters. */
export function messageId(name: string | number): string {
  return `m${String(name).padStart(22, "0")}`;
}

/** A binding that matches everything of a platform's default instance. */
export function binding(change: Partial<Binding> = {}): Binding {
  return {
    consumer: "main",
    channel: "webhook",
    adapter: null,
    guildId: null,
    workspaceId: null,
    chatId: null,
    teamId: null,
    channelIds: [],
    requireMention: false,
    dmAllowedUsers: [],
    authority: null,
    settings: {},
    ...change,
  };
}

/** A router; without bindings all goes to `main`. */
export function routerSpec(change: Partial<RouterSpec> = {}): RouterSpec {
  return { bindings: [], defaultConsumer: "main", adapterAuthority: {}, ...change };
}

/** One message of a test's frame. */
export type TestMessage = {
  readonly id: string | number;
  readonly conversation?: string;
  readonly text?: string;
  readonly routing?: Routing;
};

/** Makes each reply an outbound send, as for a push platform. */
export const replyWriter: ReplyWriter = {
  reply({ messageId: id, key, conversation, reply }) {
    const idempotencyKey = `${id}/${reply.index}`;
    const send = {
      id: `s-${idempotencyKey}`,
      seq: 1,
      key,
      conversation,
      idempotencyKey,
      response: reply.response,
      state: "queued",
      atMs: 0,
      dueAtMs: 0,
    } as const;
    return { writes: [{ op: "send", send }], written: () => {} };
  },
};

/** A flow and what it runs on. */
export type TestFlow = {
  readonly flow: Flow;
  readonly journal: FakeJournal;
  /** Sends one frame; the promise is what it was settled with. */
  readonly send: (
    key: string,
    messages: readonly TestMessage[],
    more?: { readonly resume?: unknown },
  ) => Promise<GatewayError | null>;
  readonly accepted: AcceptedMessage[];
};

/** A flow; consumers `main` and `other` are configured. */
export async function startFlow(
  change: Partial<FlowOptions> & { readonly journal?: FakeJournal } = {},
): Promise<TestFlow> {
  const journal = change.journal ?? new FakeJournal();
  const flow = await createFlow({
    replies: replyWriter,
    router: routerSpec(),
    consumers: ["main", "other"],
    maxBytes: () => 1_000_000,
    logger: silentLogger,
    random: () => 0.5,
    now: () => Date.now(),
    ...change,
    journal,
  });
  const accepted: AcceptedMessage[] = [];
  flow.onAccepted((message) => accepted.push(message));
  let frames = 0;
  return {
    flow,
    journal,
    accepted,
    send: (key, messages, { resume } = {}) => {
      const bodies = messages.map(({ id, text }) => encoder.encode(text ?? `text of ${id}`));
      const headers = messages.map(({ id, conversation = "room", routing = {} }, index): RoutingHeader => {
        const bytes = bodies[index]?.length ?? 0;
        return { id: messageId(id), conversation, kind: "text", senderId: "u1", bytes, routing };
      });
      frames += 1;
      const meta = { frame: frames, headers, ...(resume === undefined ? {} : { resume }) };
      const { promise, resolve } = Promise.withResolvers<GatewayError | null>();
      flow.receive({ key, meta, body: new Uint8Array(Buffer.concat(bodies)), settle: resolve });
      return promise;
    },
  };
}

/** A consumer that keeps what it gets until the test answers. */
export class TestConsumer implements ConsumerPort {
  readonly name: string;
  readonly line: ConsumerLine;
  /** Everything it ever got, in order. */
  readonly got: Delivery[] = [];
  /** Calls of `deliver`: how many messages each had. */
  readonly batches: number[] = [];
  /** Not answered yet, oldest first. */
  readonly held: Delivery[] = [];
  readonly expired: string[] = [];
  /** Called with each batch, for consumers that answer by themselves. */
  onDeliver: (deliveries: readonly Delivery[]) => void = () => {};

  constructor(flow: Flow, change: Partial<ConsumerLimits> & { readonly name?: string } = {}) {
    const { name = "main", ...limits } = change;
    this.name = name;
    this.line = flow.dispatcher.attach(this, { concurrency: 16, timeoutMs: 30_000, maxAttempts: 5, ...limits });
  }

  /** The texts of all it got. */
  get texts(): string[] {
    return this.got.map((delivery) => decoder.decode(delivery.payload));
  }

  deliver(deliveries: readonly Delivery[]): void {
    this.batches.push(deliveries.length);
    this.got.push(...deliveries);
    this.held.push(...deliveries);
    this.onDeliver(deliveries);
  }

  expire(receipts: readonly string[]): void {
    this.expired.push(...receipts);
  }

  /** Takes the oldest one not answered. */
  take(): Delivery {
    const delivery = this.held.shift();
    if (delivery === undefined) throw new Error("nothing was delivered that is not answered");
    return delivery;
  }

  /** Answers the oldest one not answered. */
  answer(outcome: Settlement["outcome"] = { kind: "ack" }, reply: Settlement["reply"] = null): Promise<void> {
    return this.line.settle([{ receipt: this.take().receipt, outcome, reply }]);
  }

  /** Acks all not answered. */
  ackAll(): Promise<void> {
    const acks = this.held
      .splice(0)
      .map(({ receipt }) => ({ receipt, outcome: { kind: "ack" }, reply: null }) as const);
    return this.line.settle(acks);
  }
}

/** So many messages of one conversation; their ids are 1, 2, 3 after `prefix`. */
export function many(count: number, prefix = "", conversation = "room"): readonly TestMessage[] {
  return Array.from({ length: count }, (_, index) => ({ id: `${prefix}${index + 1}`, conversation }));
}

/** Time stands still until {@link tick}. */
export function fakeTime(t: TestContext): void {
  t.mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: 1_000_000 });
}

/** Lets so much time pass, and all that is due then happen. */
export async function tick(t: TestContext, elapsedMs: number): Promise<void> {
  t.mock.timers.tick(elapsedMs);
  await settled();
}
