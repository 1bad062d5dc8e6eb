/**
 * A third party's adapter that counts: it emits 0, 1, 2 and so on, each once the one before is stored, goes on where its
 * predecessor was, says what it was sent, and may leak meanwhile.
 */
import type { AdapterContext, AdapterModule } from "../../src/contract/adapter.ts";
import { GatewayError } from "../../src/contract/errors.ts";

/** `[messaging.KEY.settings]`. */
export type CountingSettings = {
  readonly leakMegabytesPerSecond?: number;
  /** Between two numbers; 0 unless told. */
  readonly pauseMs?: number;
};

const leakPeriodMs = 50;

function leak(megabytesPerSecond: number): void {
  const kept: Buffer[] = [];
  setInterval(() => {
    kept.push(Buffer.alloc((megabytesPerSecond * 1_048_576 * leakPeriodMs) / 1000, 1));
  }, leakPeriodMs);
}

async function count(context: AdapterContext<CountingSettings>): Promise<void> {
  const state = (await context.resume.load()) as { readonly next: number } | null;
  for (let next = state?.next ?? 0; !context.signal.aborted; next += 1) {
    await context.emit(message(`count-${next}`, "count"));
    await context.resume.store({ next: next + 1 });
    const { pauseMs = 0 } = context.settings;
    if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

function message(text: string, conversation: string): Parameters<AdapterContext["emit"]>[0] {
  return { id: text, conversation, sender: { id: "counter" }, text };
}

const adapter: AdapterModule<CountingSettings> = {
  platform: "counting",
  capabilities: { text: "native" },
  maxSilenceMs: 0,
  async start(context) {
    const counting = count(context);
    leak(context.settings.leakMegabytesPerSecond ?? 0);
    return {
      closed: counting.then(() => new Promise<never>(() => {})),
      async send({ response }) {
        if (response.kind !== "text") return { platformMessageId: null };
        await context.emit(message(`got ${response.text}`, "got")).catch(() => {
          // It may be on disk all the same: this life ends before it is told.
          throw new GatewayError("timeout", "Cannot tell whether it was taken");
        });
        return { platformMessageId: null };
      },
      async stop() {
        await counting;
      },
    };
  },
};

export default adapter;
