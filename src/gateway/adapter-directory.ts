/** The running adapters as the outbound side sees them, and what it must hear of their changes. */
import type { SendRates } from "../contract/adapter.ts";
import { capabilitiesOf, pullPlatforms } from "../contract/capabilities.ts";
import type { HistoryEntry } from "../contract/control.ts";
import { GatewayError } from "../contract/errors.ts";
import { isPlatform } from "../contract/spec.ts";
import type { OutboundAdapters } from "../outbound/outbound-adapters.ts";
import type { AdapterFleet } from "../supervise/fleet.ts";

type Attached = {
  readonly adapters: AdapterFleet;
  readonly outbox: { adapterRunning(key: string): void };
  readonly mailboxes: { gone(client: { readonly key: string; readonly generation: number }): void };
};

/** Made before the fleet it looks into, since the outbox stands before the supervisors. */
export class AdapterDirectory implements OutboundAdapters {
  #attached: Attached | null = null;
  /** What a third party's module has declared; it holds while the adapter is between two lives. */
  readonly #declared = new Map<string, { readonly pull: boolean; readonly capabilities: OutboundCapabilities }>();

  /** From now on it answers. */
  attach(parts: Attached): void {
    this.#attached = parts;
  }

  isPull(key: string): boolean {
    const platform = platformOf(key);
    return isPlatform(platform) ? pullPlatforms.has(platform) : (this.#learn(key)?.pull ?? false);
  }

  capabilities(key: string): OutboundCapabilities | null {
    const platform = platformOf(key);
    return isPlatform(platform) ? capabilitiesOf(platform) : (this.#learn(key)?.capabilities ?? null);
  }

  isRunning(key: string): boolean {
    return (this.#attached?.adapters.started(key) ?? null) !== null;
  }

  canCompleteSend(key: string): boolean {
    return this.#attached?.adapters.started(key)?.canCompleteSend ?? false;
  }

  sendRates(key: string): SendRates | null {
    return this.#attached?.adapters.started(key)?.sendRates ?? null;
  }

  call(
    key: string,
    method: Parameters<OutboundAdapters["call"]>[1],
    args: Readonly<Record<string, unknown>>,
    { deadlineMs }: { readonly deadlineMs: number },
  ): Promise<unknown> {
    if (this.#attached === null)
      return Promise.reject(
        new GatewayError("adapter_unavailable", `Cannot reach ${key}: the gateway is still starting`),
      );
    return this.#attached.adapters.call(key, method, args, {
      deadlineMs,
      signal: AbortSignal.timeout(deadlineMs + 5000),
    });
  }

  /** A supervisor's state has changed. */
  onChange(key: string, { state, generation }: HistoryEntry): void {
    if (this.#attached === null) return;
    if (state === "running") this.#attached.outbox.adapterRunning(key);
    else if (generation !== null && state !== "starting" && state !== "reconnecting")
      this.#attached.mailboxes.gone({ key, generation });
  }

  #learn(key: string): { readonly pull: boolean; readonly capabilities: OutboundCapabilities } | undefined {
    const started = this.#attached?.adapters.started(key) ?? null;
    // Declared in an adapter's thread; the outbox reads only entries it knows.
    if (started !== null) this.#declared.set(key, { pull: started.pull, capabilities: started.capabilities });
    return this.#declared.get(key);
  }
}

type OutboundCapabilities = NonNullable<ReturnType<OutboundAdapters["capabilities"]>>;

function platformOf(key: string): string {
  return key.split(":", 1)[0] ?? key;
}
