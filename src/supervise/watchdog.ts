/** Judges one generation by its samples and clocks. The samples are its only clock: an adapter that is not measured proves nothing. */
import type { ThreadSample } from "../contract/protocol.ts";
import type { SupervisorSettings } from "../contract/spec.ts";
import { failure } from "./failure.ts";
import type { Lifecycle, LifecycleEvent } from "./lifecycle-event.ts";
import { calmWatch, describeHang, isTransportSilent, silenceLimitMs, watchForHang } from "./liveness.ts";
import { judgeMemory } from "./memory.ts";

/** What a sample is judged with. */
export type Circumstances = {
  readonly lifecycle: Lifecycle;
  readonly settings: SupervisorSettings;
  /** 0: its transport has no frames, or `start` is not answered yet. */
  readonly maxSilenceMs: number;
  readonly nowMs: number;
};

/** One generation's watchdog. */
export class Watchdog {
  #hang = calmWatch;
  #startedAtMs: number | null = null;
  #lastFrameAtMs = 0;

  /** `start` was answered: transport silence and age count from here. */
  onStarted(nowMs: number): void {
    this.#startedAtMs = nowMs;
    this.#lastFrameAtMs = nowMs;
  }

  /** Its transport showed life. */
  onTransportFrame(nowMs: number): void {
    this.#lastFrameAtMs = nowMs;
  }

  /** What one more sample leads to; `null`: nothing. */
  judge(sample: ThreadSample, circumstances: Circumstances): LifecycleEvent | null {
    const { settings } = circumstances;
    const { watch, isHung } = watchForHang(this.#hang, sample, settings.hangAfterMs);
    this.#hang = watch;
    if (isHung) return { kind: "failed", failure: failure("hung", describeHang(sample)), by: "terminate" };
    return this.judgeMemory(sample, settings) ?? this.#judgeSilence(circumstances) ?? this.#judgeAge(circumstances);
  }

  /** Its memory alone: for one that is ending already, or stands still because somebody looks into it. */
  judgeMemory(sample: ThreadSample, settings: SupervisorSettings): LifecycleEvent | null {
    const verdict = judgeMemory(sample.memory, settings.memoryLimitMb);
    if (verdict === "fine") return null;
    const usedMb = Math.round(((sample.memory?.heapBytes ?? 0) + (sample.memory?.externalBytes ?? 0)) / 1_048_576);
    const cause = failure("memory_limit", `Heap and external memory are ${usedMb} MiB of ${settings.memoryLimitMb}`);
    return { kind: "failed", failure: cause, by: verdict === "terminate" ? "terminate" : "ask" };
  }

  #judgeSilence({ lifecycle, maxSilenceMs, nowMs }: Circumstances): LifecycleEvent | null {
    const limitMs = silenceLimitMs(maxSilenceMs, lifecycle.state === "reconnecting" ? "reconnecting" : "running");
    if (!isTransportSilent(this.#lastFrameAtMs, nowMs, limitMs)) return null;
    const message = `No transport frame for ${nowMs - this.#lastFrameAtMs} ms, at most ${limitMs} are declared`;
    return { kind: "failed", failure: failure("silent_transport", message), by: "ask" };
  }

  #judgeAge({ settings, nowMs }: Circumstances): LifecycleEvent | null {
    if (settings.maxAgeMs <= 0 || this.#startedAtMs === null || nowMs - this.#startedAtMs < settings.maxAgeMs)
      return null;
    return { kind: "recycle", reason: "max_age", message: `Older than max_age_ms ${settings.maxAgeMs}` };
  }
}
