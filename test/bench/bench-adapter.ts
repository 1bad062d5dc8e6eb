/**
 * A third party's adapter that does nothing, or emits messages of 500 bytes: as fast as credit allows, or so many a
 * second. It imports nothing, so that its thread costs what a bare one costs.
 */
import type { AdapterContext, AdapterModule } from "../../src/contract/adapter.ts";
import type { EmittedMessage } from "../../src/contract/message.ts";

/** `[messaging.bench.settings]`. */
export type BenchAdapterSettings =
  | { readonly mode: "idle" }
  | { readonly mode: "flood"; readonly conversations: number }
  | {
      readonly mode: "paced";
      readonly conversations: number;
      readonly per_second: number;
      /** Left out of the summary. */
      readonly warm_up_seconds: number;
      readonly seconds: number;
    };

const textBytes = 500;
/** More than the credit of one generation, so that credit is what it waits for. */
const floodWidth = 2048;

const adapter: AdapterModule<BenchAdapterSettings> = {
  platform: "bench",
  capabilities: { text: "native" },
  maxSilenceMs: 0,
  async start(context) {
    const { settings } = context;
    if (settings.mode === "flood") flood(context, settings.conversations);
    if (settings.mode === "paced") pace(context, settings);
    return { async stop() {} };
  },
};
export default adapter;

function makeMessage(context: AdapterContext<BenchAdapterSettings>, index: number, conversations: number) {
  const message: EmittedMessage = {
    id: `${context.generation}-${index}`,
    conversation: `room-${index % conversations}`,
    sender: { id: "bench" },
    text: "x".repeat(textBytes),
  };
  return message;
}

/** One message per call, as event-driven libraries hand them over. */
function flood(context: AdapterContext<BenchAdapterSettings>, conversations: number): void {
  let index = 0;
  const next = async (): Promise<void> => {
    while (!context.signal.aborted) {
      index += 1;
      await context.emit(makeMessage(context, index, conversations));
    }
  };
  for (let line = 0; line < floodWidth; line += 1) next().catch(() => {});
}

/** Emits what is due at each tick, and logs at the end how long "accepted" took. */
function pace(
  context: AdapterContext<BenchAdapterSettings>,
  settings: Extract<BenchAdapterSettings, { readonly mode: "paced" }>,
): void {
  const { per_second: perSecond, conversations } = settings;
  const skipped = settings.warm_up_seconds * perSecond;
  const count = skipped + settings.seconds * perSecond;
  const startMs = performance.now();
  const waits: number[] = [];
  let index = 0;
  const emit = async (own: number): Promise<void> => {
    const isMeasured = own >= skipped;
    const emittedAtMs = monotonicMs();
    const message = makeMessage(context, own, conversations);
    await context.emit({ ...message, metadata: { emittedAtMs: isMeasured ? emittedAtMs : null } });
    if (isMeasured) waits.push(monotonicMs() - emittedAtMs);
    if (waits.length < count - skipped) return;
    const sorted = waits.toSorted((left, right) => left - right);
    context.log.info("bench-accepted", { count: waits.length, p50Ms: at(sorted, 0.5), p99Ms: at(sorted, 0.99) });
    await context.emit({ ...message, id: `${message.id}-end`, text: "report" });
  };
  const timer = setInterval(() => {
    const due = Math.min(count, ((performance.now() - startMs) / 1000) * perSecond);
    for (; index < due; index += 1) emit(index).catch(() => {});
    if (index >= count) clearInterval(timer);
  }, 1);
}

/** Machine-wide: `performance.now()` counts from each process's own start. */
function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

function at(sorted: readonly number[], share: number): number {
  return sorted[Math.ceil(sorted.length * share) - 1] ?? 0;
}
