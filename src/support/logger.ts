/** The one log sink: pino, JSON lines (pretty on a terminal), every line redacted before it is written. */
import { createRequire } from "node:module";
import { pino, stdTimeFunctions, type DestinationStream } from "pino";
import type PinoPretty from "pino-pretty";
import type { Redactor } from "./redact.ts";

/** The levels of `log_level`. */
export const logLevels = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
/** One of {@link logLevels}. */
export type LogLevel = (typeof logLevels)[number];

/** One record: a constant kebab-case event name, and fields. Ids are always under the same key: `key`, `generation`, `hostPid`, `messageId`. */
export interface Logger {
  debug(event: string, fields?: Readonly<Record<string, unknown>>): void;
  info(event: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(event: string, fields?: Readonly<Record<string, unknown>>): void;
  error(event: string, fields?: Readonly<Record<string, unknown>>): void;
  /** Every later record carries `fields`. */
  child(fields: Readonly<Record<string, unknown>>): Logger;
}

/** The gateway's logger, whose level can be changed while it runs. */
export interface RootLogger extends Logger {
  setLevel(level: LogLevel): void;
  /** Called with each written line, redacted; for `/v1/events`. */
  onLine(listener: (line: string) => void): void;
}

/** What a {@link createLogger} writes to and hides. */
export type LoggerOptions = {
  readonly level: LogLevel;
  readonly redactor: Redactor;
  /** Default: standard output, pretty when it is a terminal. */
  readonly destination?: { write(line: string): void };
};

/** A logger over pino. Nothing reaches its destination unredacted. */
export function createLogger(options: LoggerOptions): RootLogger {
  const listeners: ((line: string) => void)[] = [];
  const destination = options.destination ?? standardOutput();
  const stream: DestinationStream = {
    write(line) {
      const redacted = options.redactor.redact(line);
      destination.write(redacted);
      for (const listener of listeners) listener(redacted);
    },
  };
  const root = pino(
    {
      level: options.level,
      base: null,
      messageKey: "event",
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
    },
    stream,
  );
  return {
    ...wrap(root),
    setLevel: (level) => {
      root.level = level;
    },
    onLine: (listener) => {
      listeners.push(listener);
    },
  };
}

function wrap(target: pino.Logger): Logger {
  return {
    debug: (event, fields) => target.debug(fields ?? {}, event),
    info: (event, fields) => target.info(fields ?? {}, event),
    warn: (event, fields) => target.warn(fields ?? {}, event),
    error: (event, fields) => target.error(fields ?? {}, event),
    child: (fields) => wrap(target.child(fields)),
  };
}

function standardOutput(): { write(line: string): void } {
  if (!process.stdout.isTTY) return process.stdout;
  // Loaded on a terminal only: a service does not need it.
  const pretty = createRequire(import.meta.url)("pino-pretty") as typeof PinoPretty;
  return pretty({ colorize: true, messageKey: "event", ignore: "pid,hostname", sync: true });
}
