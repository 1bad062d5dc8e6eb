/** The one timer of a state machine's present step. */
import { after } from "./time.ts";

/** Armed by a step, replaced by the next one. */
export class StepTimer {
  #timer: Disposable | null = null;

  /** `run` after `delayMs`, unless something else is armed before. */
  arm(delayMs: number, run: () => void): void {
    this.disarm();
    this.#timer = after(Math.max(0, delayMs), () => {
      this.#timer = null;
      run();
    });
  }

  /** Nothing is waited for any more. */
  disarm(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = null;
  }
}
