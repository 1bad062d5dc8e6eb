/** `bulkhead top`: the status again and again, who uses the most CPU first. */
import type { GatewayStatus } from "../contract/status.ts";
import { sleep } from "../support/time.ts";
import { exitCodes, type CommandContext } from "./context.ts";
import { formatStatus } from "./status.ts";

const clearScreen = "\u001B[H\u001B[2J\u001B[3J";

/** How {@link top} shows it. */
export type TopOptions = {
  readonly intervalMs: number;
  /** Each table takes the place of the one before; else, and with `--json`, they follow each other. */
  readonly isTerminal: boolean;
  readonly signal: AbortSignal;
};

/** Prints until the signal. @throws {NotRunningError} when the gateway goes away. */
export async function top(
  context: Pick<CommandContext, "connect" | "json" | "print">,
  { intervalMs, isTerminal, signal }: TopOptions,
): Promise<number> {
  const gateway = await context.connect();
  while (!signal.aborted) {
    const report = await gateway.call<GatewayStatus>({ method: "GET", path: "/v1/status" });
    if (context.json) context.print(JSON.stringify(report));
    else context.print((isTerminal ? clearScreen : "") + formatStatus(byUse(report), Date.now()));
    await sleep(intervalMs, signal).catch(() => {
      // The signal: whoever watched has seen enough.
    });
  }
  return exitCodes.done;
}

function byUse(report: GatewayStatus): GatewayStatus {
  return { ...report, adapters: report.adapters.toSorted((left, right) => right.cpu.percent - left.cpu.percent) };
}
