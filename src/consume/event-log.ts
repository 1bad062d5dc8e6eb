/** What a consumer's thread logs, in the gateway's log under the consumer's name. */
import { parseMeta, type Frame } from "../contract/frame.ts";
import type { Logger } from "../support/logger.ts";

const levels = ["debug", "info", "warn", "error"] as const;

/** Logs the records of a `log` event; anything else is left alone. */
export function logThreadEvent(frame: Frame, logger: Logger, consumer: string): void {
  let meta: { readonly event?: unknown; readonly records?: unknown; readonly dropped?: unknown };
  try {
    meta = parseMeta(frame) ?? {};
  } catch {
    // A thread that sends this has nothing to tell.
    return;
  }
  if (meta.event !== "log" || !Array.isArray(meta.records)) return;
  for (const record of meta.records) {
    const { level, name, fields } = (record ?? {}) as Readonly<Record<string, unknown>>;
    const known = levels.find((candidate) => candidate === level) ?? "info";
    logger[known](typeof name === "string" ? name : "handler-output", {
      ...(typeof fields === "object" ? fields : {}),
      consumer,
    });
  }
  if (typeof meta.dropped === "number" && meta.dropped > 0)
    logger.warn("log-records-dropped", { consumer, dropped: meta.dropped });
}
