/** A consumer module without processes: what its thread is sent, and says. */
import type { TestContext } from "node:test";
import { ModuleConsumer } from "../../src/consume/module-consumer.ts";
import { decodeFrame, encodeFrame, frameKinds } from "../../src/contract/frame.ts";
import type { DeliverMeta, SettleMeta } from "../../src/contract/protocol.ts";
import { consumerSpec } from "./consumer-spec.ts";
import { FakeHosts, type FakeGeneration } from "./fake-hosts.ts";
import { FakeDispatcher } from "./fake-line.ts";
import { FakeServices } from "./fake-services.ts";
import { RecordingLogger } from "./recording-logger.ts";

/** Done. */
export const ack = { kind: "ack" } as const;

/** One module consumer on fake hosts, with a fake line and services. */
export class Rig {
  readonly hosts = new FakeHosts();
  readonly dispatcher = new FakeDispatcher();
  readonly services = new FakeServices();
  readonly logger = new RecordingLogger();
  readonly consumer: ModuleConsumer;
  #generation = 0;

  constructor(t: TestContext, threads = 1, behave?: FakeHosts["behave"]) {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    if (behave !== undefined) this.hosts.behave = behave;
    const { hosts, dispatcher, services, logger } = this;
    const moduleUrl = "file:///handler.ts";
    this.consumer = ModuleConsumer.start({
      spec: consumerSpec({ threads, target: { kind: "module", moduleUrl } }),
      moduleUrl,
      hosts,
      dispatcher,
      services,
      logger,
      nextGeneration: () => (this.#generation += 1),
      heapLimitMb: 64,
      onCommands: () => {},
    });
  }

  get last(): FakeGeneration {
    return this.hosts.last("consumer:main");
  }
}

/** Receipts that a thread was handed, and those it was told to abort. */
/** What its thread was handed, and told to abort. */
export function handed(generation: FakeGeneration): { readonly delivered: string[]; readonly aborted: string[] } {
  const metas = generation.sent
    .filter(({ kind }) => kind === frameKinds.deliver)
    .map(({ meta }) => meta as DeliverMeta);
  return {
    delivered: metas.flatMap(({ deliveries }) => deliveries.map(({ receipt }) => receipt)),
    aborted: metas.flatMap(({ abort }) => abort),
  };
}

/** The thread says what became of deliveries. */
export function settle(
  generation: FakeGeneration,
  receipts: readonly string[],
  outcome: SettleMeta["settlements"][number]["outcome"] = ack,
): void {
  const reply = Buffer.from('{"kind":"text","text":"ok"}');
  const settlements = receipts.map((receipt) => ({ receipt, outcome, replyBytes: reply.length, replyIndex: 0 }));
  emit(
    generation,
    { settlements },
    receipts.map(() => reply),
  );
}

/** A frame from the thread. */
export function emit(
  generation: FakeGeneration,
  meta: unknown,
  body: readonly Uint8Array[] = [],
  kind: number = frameKinds.data,
): void {
  generation.listener.onFrame(
    decodeFrame(encodeFrame(kind as typeof frameKinds.data, generation.request.generation, meta, body)),
  );
}

/** The thread asks something about a delivery; the answer has the number 7. */
export function ask(generation: FakeGeneration, method: string, args: unknown): void {
  emit(generation, { id: 7, method, args }, [], frameKinds.request);
}

/** What the thread was answered. */
export function answersOf(generation: FakeGeneration): unknown[] {
  return generation.sent.filter(({ kind }) => kind === frameKinds.answer).map(({ meta }) => meta);
}
