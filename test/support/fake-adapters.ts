/** Adapters that do as a test says. */
import type { SendRates } from "../../src/contract/adapter.ts";
import type { Capabilities } from "../../src/outbound/fallback.ts";
import type { OutboundAdapters } from "../../src/outbound/outbound-adapters.ts";

/** One call that reached an adapter. */
export type AdapterCall = {
  readonly key: string;
  readonly method: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: Error) => void;
};

/** `chat` pushes, `web` is a pull adapter; both show texts and streams only. */
export class FakeAdapters implements OutboundAdapters {
  readonly calls: AdapterCall[] = [];
  readonly stopped = new Set<string>();
  /** Answers a call at once; `undefined`: the test does. */
  answer: ((call: AdapterCall) => unknown) | undefined = () => ({ platformMessageId: `p${this.calls.length}` });
  capabilitiesOf: Capabilities | null = {
    text: "native",
    stream_start: "native",
    stream_chunk: "native",
    stream_end: "native",
  };

  isPull(key: string): boolean {
    return key.startsWith("web");
  }

  capabilities(): Capabilities | null {
    return this.capabilitiesOf;
  }

  /** Whether they find out what became of a send. */
  canComplete = false;

  canCompleteSend(key: string): boolean {
    return this.canComplete && this.isRunning(key);
  }

  rates: SendRates = {};

  sendRates(): SendRates | null {
    return this.rates;
  }

  isRunning(key: string): boolean {
    return !this.stopped.has(key);
  }

  async call(key: string, method: string, args: Readonly<Record<string, unknown>>): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const call: AdapterCall = { key, method, args, resolve, reject };
    this.calls.push(call);
    return this.answer === undefined ? promise : this.answer(call);
  }

  /** What was sent, as texts. */
  get texts(): readonly string[] {
    return this.calls.map(({ args }) => (args["response"] as { text?: string }).text ?? "");
  }
}
