/** A thread's log: bounded, batched, and honest about what it dropped. The sink and the redaction are the coordinator's. */
import { format } from "node:util";
import type { AdapterLog } from "../src/contract/adapter.ts";
import type { LogRecord } from "../src/contract/protocol.ts";
import { after } from "../src/support/time.ts";

const bufferedRecordLimit = 500;
const lineLimitCharacters = 8192;
const flushDelayMs = 50;

/** Collects records and hands them on at most every 50 ms; what does not fit is counted, since a log must never block its thread. */
export class ThreadLog implements AdapterLog {
  readonly #flushTo: (records: readonly LogRecord[], dropped: number) => void;
  #records: LogRecord[] = [];
  #dropped = 0;
  #timer: Disposable | null = null;

  constructor(flushTo: (records: readonly LogRecord[], dropped: number) => void) {
    this.#flushTo = flushTo;
  }

  debug(event: string, fields: Readonly<Record<string, unknown>> = {}): void {
    this.#add("debug", event, fields);
  }

  info(event: string, fields: Readonly<Record<string, unknown>> = {}): void {
    this.#add("info", event, fields);
  }

  warn(event: string, fields: Readonly<Record<string, unknown>> = {}): void {
    this.#add("warn", event, fields);
  }

  error(event: string, fields: Readonly<Record<string, unknown>> = {}): void {
    this.#add("error", event, fields);
  }

  /** What a library printed. */
  line(level: LogRecord["level"], values: readonly unknown[]): void {
    this.#add(level, "adapter-output", { text: format(...values).slice(0, lineLimitCharacters) });
  }

  /** Hands on what is buffered, now. */
  flush(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = null;
    if (this.#records.length === 0 && this.#dropped === 0) return;
    const records = this.#records;
    const dropped = this.#dropped;
    this.#records = [];
    this.#dropped = 0;
    this.#flushTo(records, dropped);
  }

  #add(level: LogRecord["level"], name: string, fields: Readonly<Record<string, unknown>>): void {
    if (this.#records.length >= bufferedRecordLimit) this.#dropped += 1;
    else this.#records.push({ level, name: name.slice(0, 128), fields: bounded(fields) });
    this.#timer ??= after(flushDelayMs, () => this.flush());
  }
}

/** Fields as JSON can carry them; errors as their stack. */
function bounded(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const plain: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    plain[name] = value instanceof Error ? (value.stack ?? value.message).slice(0, lineLimitCharacters) : value;
  }
  try {
    const json = JSON.stringify(plain);
    return json.length <= lineLimitCharacters ? plain : { truncated: json.slice(0, lineLimitCharacters) };
  } catch (reason) {
    return { unserializable: String(reason) };
  }
}
