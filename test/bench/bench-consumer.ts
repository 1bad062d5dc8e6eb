/**
 * A consumer module. Replies with a message's first word; of messages that say when they were emitted it keeps how long
 * they took, and logs that when one says `report`.
 */
import type { HandlerContext } from "../../src/contract/handler-context.ts";
import type { Message } from "../../src/contract/message.ts";

const waits: number[] = [];

/** The handler. */
export default function handle(message: Message, context: HandlerContext): string | undefined {
  if (message.text === "report") {
    const sorted = waits.toSorted((left, right) => left - right);
    const p99Ms = sorted[Math.ceil(sorted.length * 0.99) - 1] ?? 0;
    const p50Ms = sorted[Math.ceil(sorted.length * 0.5) - 1] ?? 0;
    context.log.info("bench-delivered", { count: sorted.length, p50Ms, p99Ms });
    return undefined;
  }
  const { emittedAtMs } = message.metadata;
  if (emittedAtMs === undefined) return message.text.slice(0, message.text.indexOf(" "));
  if (typeof emittedAtMs === "number") waits.push(Number(process.hrtime.bigint()) / 1e6 - emittedAtMs);
  return undefined;
}
