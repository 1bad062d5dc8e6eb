/**
 * One generation's thread, inside a host: a Piscina of its own, whose one endless task is the thread's life. Each option
 * here has a trap behind it; see the comments.
 */
import { MessageChannel, type MessagePort, type Worker } from "node:worker_threads";
import { Piscina } from "piscina";
import { GatewayError, parseErrorReport } from "../contract/errors.ts";
import { heartbeatBytes, readHeartbeat } from "../contract/heartbeat.ts";
import type {
  ExitedMeta,
  InspectionArgs,
  InspectionMethod,
  OpenMeta,
  Outcome,
  ThreadSample,
} from "../contract/protocol.ts";
import { orAborted, TimeoutError, withDeadline } from "../support/time.ts";
import { Control } from "./control.ts";
import { inspectThread } from "./inspection.ts";

/** A thread that does not answer a question within this is in native code. */
const questionDeadlineMs = 200;
const destroyDeadlineMs = 10_000;

/** What a thread's owner hears. */
export type ThreadListener = {
  /** One encoded frame; the generation is still to be stamped. */
  onFrame(bytes: Uint8Array<ArrayBuffer>): void;
  onDrained(): void;
  onExited(exit: ExitedMeta): void;
};

type ThreadEnd = Pick<ExitedMeta, "cause" | "error">;

/** One generation's thread. */
export class ThreadHost {
  readonly generation: number;
  readonly control: Control;
  readonly #pool: Piscina;
  readonly #worker: Worker;
  readonly #dataPort: MessagePort;
  readonly #heartbeat = new SharedArrayBuffer(heartbeatBytes);
  readonly #abort = new AbortController();
  readonly #gone = new AbortController();
  #utilization: ReturnType<Worker["performance"]["eventLoopUtilization"]> | undefined;
  #cpu: NodeJS.CpuUsage | null = null;
  #samples = 0;

  constructor(generation: number, open: OpenMeta, entryUrl: string, listener: ThreadListener) {
    this.generation = generation;
    const data = new MessageChannel();
    const control = new MessageChannel();
    this.#dataPort = data.port1;
    this.#pool = new Piscina({
      minThreads: 0,
      maxThreads: 1,
      idleTimeout: 0,
      // "sync" freezes the thread's event loop between tasks.
      atomics: "disabled",
      // Two histograms per pool that an endless task never fills.
      recordTiming: false,
      // Consumers are the user's own code and inherit the environment; an adapter gets its secrets by message.
      env: open.entry === "consumer" ? process.env : {},
      resourceLimits: { maxOldGenerationSizeMb: open.heapLimitMb },
    });
    // Without a listener an error outside a task ends the process.
    this.#pool.on("error", () => {});
    this.#dataPort.on("message", (buffer: ArrayBuffer) => listener.onFrame(new Uint8Array(buffer)));
    this.#dataPort.once("close", () => listener.onDrained());
    const task = {
      init: open.init,
      moduleUrl: open.moduleUrl,
      dataPort: data.port2,
      controlPort: control.port2,
      heartbeat: this.#heartbeat,
    };
    // The filename goes with the task: given to the pool, a module that throws leaves the task pending for ever.
    const life = this.#pool.run(task, {
      filename: entryUrl,
      signal: this.#abort.signal,
      // Piscina's type for this list does not know Node's own ports.
      transferList: [data.port2, control.port2] as never,
    }) as Promise<unknown>;
    const [worker] = this.#pool.threads;
    if (worker === undefined) throw new GatewayError("internal", "Piscina started no thread for its first task");
    this.#worker = worker;
    this.control = new Control(control.port1, this.#gone.signal);
    void this.#watch(life, listener);
  }

  /** Delivers a frame to the thread; its memory is given away. */
  post(bytes: Uint8Array<ArrayBuffer>): void {
    this.#dataPort.postMessage(bytes.buffer, [bytes.buffer]);
  }

  /** Ends the thread, whatever it does, except in native code. */
  terminate(): void {
    this.#abort.abort();
  }

  /** A heap snapshot or a CPU profile of it, in a file. Never rejects: what went wrong is an outcome too. */
  async inspect(method: InspectionMethod, args: InspectionArgs, deadlineMs: number): Promise<Outcome> {
    const late = new AbortController();
    const signal = AbortSignal.any([this.#gone.signal, late.signal]);
    try {
      const inspecting = orAborted(inspectThread(this.#worker, method, { ...args, signal }), signal);
      await withDeadline(inspecting, deadlineMs, "Looking into the thread");
      return { ok: true, value: null };
    } catch (reason) {
      late.abort(reason);
      const code =
        reason instanceof TimeoutError ? "timeout" : this.#gone.signal.aborted ? "worker_crashed" : "internal";
      const { message } = GatewayError.from(reason);
      return { ok: false, error: new GatewayError(code, `Cannot look into the thread: ${message}`).toReport() };
    }
  }

  /** What can be seen of the thread from outside; needs no cooperation of it. */
  async sample(): Promise<ThreadSample> {
    const before = this.#utilization;
    const now = this.#worker.performance.eventLoopUtilization();
    this.#utilization = now;
    const { utilization } = before === undefined ? now : this.#worker.performance.eventLoopUtilization(now, before);
    this.#samples += 1;
    const [cpu, heap] = await Promise.all([
      // CPU once a second is enough, memory every time: a leak is fast.
      this.#cpu === null || this.#samples % 4 === 0 ? this.#ask(this.#worker.cpuUsage()) : this.#cpu,
      this.#ask(this.#worker.getHeapStatistics()),
    ]);
    this.#cpu = cpu;
    const heartbeat = readHeartbeat(this.#heartbeat);
    return {
      generation: this.generation,
      threadId: this.#worker.threadId,
      utilization,
      heartbeatAgeMs: heartbeat.ageMs,
      delayP99Ms: heartbeat.delayP99Ms,
      cpu: cpu === null ? null : { userMicroseconds: cpu.user, systemMicroseconds: cpu.system },
      memory:
        heap === null
          ? null
          : {
              heapBytes: heap.used_heap_size,
              externalBytes: heap.external_memory,
              arrayBufferBytes: heartbeat.arrayBufferBytes,
            },
    };
  }

  async #ask<T>(question: Promise<T>): Promise<T | null> {
    try {
      return await withDeadline(question, questionDeadlineMs, "A question to the thread");
    } catch {
      // Unanswered, or the thread is ending: both show as `null`, and the end is told by `exited`.
      return null;
    }
  }

  /** "Thread gone" is the Worker's own exit, listened for from the start: Piscina's events come before it or not at all. */
  async #watch(life: Promise<unknown>, listener: ThreadListener): Promise<void> {
    const exited = Promise.withResolvers<number>();
    this.#worker.once("exit", (code) => exited.resolve(code));
    const end = await life.then(
      // A task that could not load its module says so by its result: a thrown error would lose its name on the way.
      (moduleFailure): ThreadEnd =>
        moduleFailure === undefined
          ? { cause: "ended", error: null }
          : { cause: "module_failed", error: parseErrorReport(moduleFailure) },
      (reason: unknown): ThreadEnd => causeOf(reason, this.#abort.signal.aborted),
    );
    // The task has ended, so Piscina would end its idle thread by itself; this makes it certain.
    void this.#worker.terminate();
    const exitCode = await exited.promise;
    this.#gone.abort();
    listener.onExited({ ...end, exitCode });
    await this.#dispose();
  }

  async #dispose(): Promise<void> {
    this.control.close();
    try {
      await withDeadline(this.#pool.destroy(), destroyDeadlineMs, "Destroying the pool");
    } catch (reason) {
      // The thread is gone; a pool that does not settle holds nothing but its own promise.
      if (!(reason instanceof TimeoutError)) throw reason;
    }
  }
}

function causeOf(reason: unknown, isTerminated: boolean): ThreadEnd {
  const { code, name, message } = reason as { code?: unknown; name?: unknown; message?: unknown };
  if (isTerminated && name === "AbortError") return { cause: "terminated", error: null };
  const { message: text, retry } = GatewayError.from(reason);
  const error = new GatewayError("worker_crashed", text, { cause: reason, retry }).toReport();
  if (code === "ERR_WORKER_OUT_OF_MEMORY") return { cause: "heap_exhausted", error };
  if (typeof message === "string" && message.startsWith("worker exited with code")) return { cause: "exited", error };
  return { cause: "crashed", error };
}
