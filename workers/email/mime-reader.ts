/** The MIME thread: mails are read in a thread of their own, one at a time, so that none can hold up the adapter. */
import { Piscina } from "piscina";
import { GatewayError } from "../../src/contract/errors.ts";
import { after, withDeadline } from "../../src/support/time.ts";
import { Turns } from "../../src/support/turns.ts";
import type { Mail } from "./mail.ts";
import type { ReadMailTask } from "./read-mail.ts";

/** A mail is read in milliseconds; one that takes this long is made to. */
const readDeadlineMs = 10_000;
/** An idle thread costs memory and no time. */
const idleThreadMs = 60_000;
/** The longest mail that is read takes half of it. */
const heapLimitMb = 256;
const destroyDeadlineMs = 2_000;

/** The extension is this file's own: sources in tests, compiled files in production. */
const workerUrl = new URL(`./mime-worker${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url).href;

/** Reads mails. */
export class MimeReader implements AsyncDisposable {
  readonly #pool: Piscina;
  readonly #filename: string;
  readonly #deadlineMs: number;
  /** Behind a thread that is ended the pool would leave a mail waiting in its own queue. */
  readonly #turns = new Turns();

  /** @param options for tests: another thread entry, another deadline. */
  constructor(options: { readonly filename?: string; readonly deadlineMs?: number } = {}) {
    this.#deadlineMs = options.deadlineMs ?? readDeadlineMs;
    this.#filename = options.filename ?? workerUrl;
    this.#pool = new Piscina({
      minThreads: 0,
      maxThreads: 1,
      concurrentTasksPerWorker: 1,
      idleTimeout: idleThreadMs,
      atomics: "disabled",
      recordTiming: false,
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: heapLimitMb },
    });
    // Without a listener an error outside a task ends the adapter's thread.
    this.#pool.on("error", () => {});
  }

  /** @throws {GatewayError} `message_rejected` for a mail that cannot be read, or not in ten seconds. */
  read(task: ReadMailTask): Promise<Mail> {
    return this.#turns.take(() => this.#read(task));
  }

  async #read(task: ReadMailTask): Promise<Mail> {
    const late = new AbortController();
    using _timer = after(this.#deadlineMs, () => late.abort());
    try {
      // The filename goes with the task: given to the pool, an entry that throws leaves the task pending for ever.
      return (await this.#pool.run(task, { filename: this.#filename, signal: late.signal })) as Mail;
    } catch (reason) {
      const found = late.signal.aborted ? `it took longer than ${this.#deadlineMs} ms` : describe(reason);
      throw new GatewayError("message_rejected", `Cannot read the mail: ${found}`);
    }
  }

  /** What is being read is given up. */
  async [Symbol.asyncDispose](): Promise<void> {
    await withDeadline(this.#pool.destroy(), destroyDeadlineMs, "The end of the MIME thread").catch(() => {
      // The adapter's thread ends with it, and takes it along.
    });
  }
}

function describe(reason: unknown): string {
  return reason instanceof Error ? reason.message.slice(0, 200) : "its reader failed";
}
