/** Asks a running adapter for its end-to-end proof of life, now and then, where its module offers one. */
import { GatewayError } from "../contract/errors.ts";
import type { GenerationLife } from "./generation-life.ts";

const probeEveryMs = 30_000;
const probeDeadlineMs = 10_000;
/** A refusal is the platform's trouble, not the adapter's; only silence, this often in a row, is. */
const unansweredLimit = 3;

/** One generation's prober, driven by its samples. */
export class Prober {
  /** When it last proved to be alive; milliseconds since the epoch. */
  lastProofAtMs: number | null = null;
  #nextAtMs: number | null = null;
  #isAsking = false;
  #unanswered = 0;

  /** Probes when it is time. `onSilent` is called once it did not answer three times in a row. */
  onSample(life: GenerationLife, options: { readonly now: () => number; readonly onSilent: () => void }): void {
    if (life.started?.canProbe !== true || this.#isAsking) return;
    const nowMs = options.now();
    this.#nextAtMs ??= nowMs + probeEveryMs;
    if (nowMs < this.#nextAtMs) return;
    this.#nextAtMs = nowMs + probeEveryMs;
    void this.#probe(life, options);
  }

  async #probe(
    life: GenerationLife,
    options: { readonly now: () => number; readonly onSilent: () => void },
  ): Promise<void> {
    this.#isAsking = true;
    try {
      await life.call("probe", {}, { deadlineMs: probeDeadlineMs });
      this.lastProofAtMs = options.now();
      this.#unanswered = 0;
    } catch (reason) {
      this.#unanswered = GatewayError.from(reason).code === "timeout" ? this.#unanswered + 1 : 0;
      if (this.#unanswered >= unansweredLimit && !life.isGone) options.onSilent();
    } finally {
      this.#isAsking = false;
    }
  }
}
