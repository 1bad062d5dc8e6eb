/** CPU, memory and event-loop delay of one runtime key, from the samples of its generations. */
import type { ThreadSample } from "../contract/protocol.ts";
import type { AdapterStatus } from "../contract/status.ts";

type Cpu = { readonly userMicroseconds: number; readonly systemMicroseconds: number };
const noCpu: Cpu = { userMicroseconds: 0, systemMicroseconds: 0 };

const repeatedAnswerMs = 2000;

/** What was measured last. CPU seconds go on over generations; everything else is the present thread's. */
export class Measurements {
  /** The present generation's last sample. */
  lastSample: ThreadSample | null = null;
  #pastCpu: Cpu = noCpu;
  #cpu: Cpu = noCpu;
  #cpuAtMs: number | null = null;
  #percent = 0;
  #memory: NonNullable<ThreadSample["memory"]> = { heapBytes: 0, externalBytes: 0, arrayBufferBytes: 0 };

  /** One more sample. What native code left unanswered keeps its last value. */
  onSample(sample: ThreadSample, nowMs: number): void {
    this.lastSample = sample;
    if (sample.memory !== null) this.#memory = sample.memory;
    if (sample.cpu === null) return;
    const elapsedMs = nowMs - (this.#cpuAtMs ?? nowMs);
    const usedMicroseconds = total(sample.cpu) - total(this.#cpu);
    // A host asks for CPU once a second and repeats the answer: between two answers nothing is known.
    if (this.#cpuAtMs !== null && usedMicroseconds === 0 && elapsedMs < repeatedAnswerMs) return;
    if (elapsedMs > 0) this.#percent = Math.max(0, usedMicroseconds / (elapsedMs * 10));
    this.#cpu = sample.cpu;
    this.#cpuAtMs = nowMs;
  }

  /** The thread is gone: its CPU time stays counted, the rest was its own. */
  onGone(): void {
    this.#pastCpu = sum(this.#pastCpu, this.#cpu);
    this.#cpu = noCpu;
    this.#cpuAtMs = null;
    this.#percent = 0;
    this.#memory = { heapBytes: 0, externalBytes: 0, arrayBufferBytes: 0 };
    this.lastSample = null;
  }

  /** As status shows them; `memory` without what only the host knows. */
  report(): Pick<AdapterStatus, "cpu" | "eventLoop" | "threadId"> & {
    readonly memory: Omit<AdapterStatus["memory"], "limitBytes" | "rssBytes">;
  } {
    const cpu = sum(this.#pastCpu, this.#cpu);
    return {
      threadId: this.lastSample?.threadId ?? null,
      cpu: {
        userSeconds: cpu.userMicroseconds / 1e6,
        systemSeconds: cpu.systemMicroseconds / 1e6,
        percent: Math.round(this.#percent * 10) / 10,
      },
      memory: this.#memory,
      eventLoop: {
        utilization: this.lastSample?.utilization ?? 0,
        delayP99Ms: this.lastSample?.delayP99Ms ?? 0,
      },
    };
  }
}

function total(cpu: Cpu): number {
  return cpu.userMicroseconds + cpu.systemMicroseconds;
}

function sum(left: Cpu, right: Cpu): Cpu {
  return {
    userMicroseconds: left.userMicroseconds + right.userMicroseconds,
    systemMicroseconds: left.systemMicroseconds + right.systemMicroseconds,
  };
}
