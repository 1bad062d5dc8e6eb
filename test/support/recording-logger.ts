/** A logger that keeps its records for a test to read. */
import type { Logger } from "../../src/support/logger.ts";

/** One record; `level` is the method's name. */
export type LogRecord = {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly event: string;
  readonly fields: Readonly<Record<string, unknown>>;
};

/** Keeps every record in `records`. */
export class RecordingLogger implements Logger {
  readonly records: LogRecord[] = [];

  debug(event: string, fields: Readonly<Record<string, unknown>> = {}): void {
    this.records.push({ level: "debug", event, fields });
  }

  info(event: string, fields: Readonly<Record<string, unknown>> = {}): void {
    this.records.push({ level: "info", event, fields });
  }

  warn(event: string, fields: Readonly<Record<string, unknown>> = {}): void {
    this.records.push({ level: "warn", event, fields });
  }

  error(event: string, fields: Readonly<Record<string, unknown>> = {}): void {
    this.records.push({ level: "error", event, fields });
  }

  child(): Logger {
    return this;
  }
}
