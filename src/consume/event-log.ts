/** What a consumer's thread tells: its log, in the gateway's under the consumer's name, and the commands of its module. */
import type { CommandDeclaration } from "../contract/command.ts";
import { parseMeta, type Frame } from "../contract/frame.ts";
import { parseCommands } from "../contract/parse-commands.ts";
import type { Logger } from "../support/logger.ts";

const levels = ["debug", "info", "warn", "error"] as const;

/** Where what a thread tells goes. */
export type ThreadEventSinks = {
  readonly logger: Logger;
  readonly consumer: string;
  readonly onCommands: (commands: readonly CommandDeclaration[]) => void;
};

/** Takes a `log` or `commands` event; anything else is left alone. */
export function takeThreadEvent(frame: Frame, sinks: ThreadEventSinks): void {
  const { logger, consumer } = sinks;
  let meta: {
    readonly event?: unknown;
    readonly records?: unknown;
    readonly dropped?: unknown;
    readonly commands?: unknown;
  };
  try {
    meta = parseMeta(frame) ?? {};
  } catch {
    // A thread that sends this has nothing to tell.
    return;
  }
  // Its own thread has said which ones are wrong; here they are only not believed.
  if (meta.event === "commands") return sinks.onCommands(parseCommands(meta.commands).commands);
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
