/** The running adapters as the outbound side sees them; the coordinator hands them over. */
import type { SendRates } from "../contract/adapter.ts";
import type { Capabilities } from "./fallback.ts";

/** Who the outbox sends through. */
export interface OutboundAdapters {
  /** Its replies wait in a mailbox. Known before it runs, also for a key that is not configured any more (`false`). */
  isPull(key: string): boolean;
  /** What it shows natively; `null` while that is not known. */
  capabilities(key: string): Capabilities | null;
  isRunning(key: string): boolean;
  /** It can find out what became of a send whose answer was lost. Known while it runs. */
  canCompleteSend(key: string): boolean;
  /** How fast it may be written to; `null` while that is not known. */
  sendRates(key: string): SendRates | null;
  /** @throws {GatewayError} `adapter_unavailable` when it does not run; else what the adapter or the deadline made of it. */
  call(
    key: string,
    method: "send" | "completeSend" | "setStatus" | "history" | "attachment",
    args: Readonly<Record<string, unknown>>,
    options: { readonly deadlineMs: number },
  ): Promise<unknown>;
}
