/** One life of the journal's thread: a Piscina with one endless task, and the port it talks over. */
import { MessageChannel, type MessagePort, type Worker } from "node:worker_threads";
import { Piscina } from "piscina";
import { GatewayError } from "../contract/errors.ts";
import type { FromJournalThread, JournalTask, ToJournalThread } from "../contract/journal-wire.ts";
import { withDeadline } from "../support/time.ts";

/** What a thread's owner hears. */
export type JournalThreadListener = {
  onMessage(message: FromJournalThread): void;
  /** The thread is gone and all it said has been heard; `cause` is `null` where it ended by itself. */
  onGone(cause: string | null): void;
};

/** The thread, from its start on. */
export class JournalThread {
  readonly #pool: Piscina;
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #abort = new AbortController();
  readonly #gone: Promise<void>;

  constructor(entryUrl: string, task: JournalTask, listener: JournalThreadListener) {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.#pool = new Piscina({
      minThreads: 0,
      maxThreads: 1,
      idleTimeout: 0,
      // "sync" freezes the thread's event loop between tasks.
      atomics: "disabled",
      // Two histograms per pool that an endless task never fills.
      recordTiming: false,
    });
    // Without a listener an error outside a task ends the process.
    this.#pool.on("error", () => {});
    port1.on("message", (message: FromJournalThread) => listener.onMessage(message));
    const portClosed = new Promise<void>((resolve) => port1.once("close", () => resolve()));
    // The filename goes with the task: given to the pool, a module that throws leaves the task pending for ever.
    const life = this.#pool.run(
      { ...task, port: port2 },
      {
        filename: entryUrl,
        signal: this.#abort.signal,
        // Piscina's type for this list does not know Node's own ports.
        transferList: [port2] as never,
      },
    ) as Promise<void>;
    const [worker] = this.#pool.threads;
    if (worker === undefined) throw new GatewayError("internal", "Piscina started no thread for its first task");
    this.#worker = worker;
    const exited = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
    this.#gone = this.#watch(life, Promise.all([portClosed, exited]), listener);
  }

  /** Sends a message; the memory of `bytes` is given away. */
  post(message: ToJournalThread, bytes?: Uint8Array<ArrayBuffer>): void {
    this.#port.postMessage(message, bytes === undefined ? [] : [bytes.buffer]);
  }

  /** Asks it to finish and close its file; terminates it after `deadlineMs`, and leaves it behind where even that does nothing. */
  async close(deadlineMs: number): Promise<void> {
    this.post({ kind: "close" });
    await withDeadline(this.#gone, deadlineMs, "Closing the journal").catch(() => this.terminate(deadlineMs));
  }

  /** Ends it now. In native code it lives on: after `deadlineMs` it is left behind, without keeping the process alive. */
  async terminate(deadlineMs: number): Promise<void> {
    this.#abort.abort();
    await withDeadline(this.#gone, deadlineMs, "Ending the journal's thread").catch(() => {
      this.#port.unref();
      this.#worker.unref();
    });
  }

  async #watch(life: Promise<void>, gone: Promise<unknown>, listener: JournalThreadListener): Promise<void> {
    const cause = await life.then(
      () => null,
      (reason: unknown) => GatewayError.from(reason).message,
    );
    // Not awaited: it waits for the thread without a limit of its own, as `gone` does.
    void this.#pool.destroy().catch(() => {});
    await gone;
    listener.onGone(cause);
  }
}
