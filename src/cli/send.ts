/** `bulkhead send TARGET TEXT`: through the outbox, and what became of it. */
import type { SendReport } from "../contract/control.ts";
import type { SendState } from "../contract/journal.ts";
import { sleep } from "../support/time.ts";
import { CommandError, exitCodes, type CommandContext } from "./context.ts";
import { printable } from "./text.ts";

const firstPollMs = 50;
const slowestPollMs = 1000;
const endStates: ReadonlySet<SendState> = new Set<SendState>(["confirmed", "failed", "unknown"]);

/** What to send, and how long to wait for the receipt. `waitMs` 0: not at all. */
export type SendOptions = {
  readonly target: string;
  readonly text: string;
  readonly idempotencyKey: string | null;
  readonly waitMs: number;
};

/** Done when it is confirmed (or nobody waits), else failed. @throws {CommandError} failed, when it is still open at the deadline. */
export async function send(context: CommandContext, options: SendOptions): Promise<number> {
  const { target, text, idempotencyKey, waitMs } = options;
  const gateway = await context.connect();
  const body = { target, text, ...(idempotencyKey === null ? {} : { idempotencyKey }) };
  const accepted = await gateway.call<{ id: string; state: SendState }>({ method: "POST", path: "/v1/send", body });
  if (!context.json) context.print(accepted.id);
  if (waitMs === 0) {
    if (context.json) context.print(JSON.stringify(accepted));
    return exitCodes.done;
  }
  const deadline = AbortSignal.timeout(waitMs);
  for (let pauseMs = firstPollMs; ; pauseMs = Math.min(pauseMs * 2, slowestPollMs)) {
    const report = await gateway.call<SendReport>({
      method: "GET",
      path: `/v1/sends/${encodeURIComponent(accepted.id)}`,
    });
    if (endStates.has(report.state)) return end(context, report);
    if (deadline.aborted)
      throw new CommandError(exitCodes.failed, `Cannot wait longer for ${report.id}: it is still ${report.state}`);
    await sleep(pauseMs);
  }
}

function end(context: CommandContext, report: SendReport): number {
  if (context.json) context.print(JSON.stringify(report));
  else {
    const platformMessageId = report.receipt?.platformMessageId ?? null;
    const detail = report.error?.message ?? (platformMessageId === null ? "" : platformMessageId);
    context.print(printable(`${report.state}${detail === "" ? "" : `: ${detail}`}`));
  }
  return report.state === "confirmed" ? exitCodes.done : exitCodes.failed;
}
