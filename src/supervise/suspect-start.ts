/**
 * The start of an adapter that was already starting, or otherwise suspect, when a shared host died. Only one of them at a
 * time starts there: if the host dies again, it is known at whose start.
 */
import { StepTimer } from "../support/step-timer.ts";
import type { StartSlots } from "./start-slots.ts";

/** A start that takes longer no longer keeps the others waiting: what kills its host at every start does so soon. */
export const suspectTurnMs = 3_000;

/** Waits for the turn of the suspects, then for a slot as everyone does. For one start. */
export class SuspectStart implements Disposable {
  readonly #turns: StartSlots;
  readonly #slots: StartSlots;
  readonly #timer = new StepTimer();
  #turn: Disposable | null = null;

  /** `turns`: one slot, shared by all suspects. */
  constructor(options: { readonly turns: StartSlots; readonly slots: StartSlots }) {
    this.#turns = options.turns;
    this.#slots = options.slots;
  }

  /** A slot, in the suspect's turn, which lasts until this is disposed, or {@link suspectTurnMs}. Rejects with the signal's reason. */
  async acquire(signal: AbortSignal): Promise<Disposable> {
    this.#turn = await this.#turns.acquire(signal);
    this.#passIn(suspectTurnMs);
    try {
      return await this.#slots.acquire(signal);
    } catch (reason) {
      this.#pass();
      throw reason;
    }
  }

  /** Its host comes in `delayMs`: the turn lasts as long after that. */
  extend(delayMs: number): void {
    if (this.#turn !== null) this.#passIn(delayMs + suspectTurnMs);
  }

  /** Its start is over: the next one's turn. Its signal is aborted where it still waits for its own. */
  [Symbol.dispose](): void {
    this.#pass();
  }

  #passIn(delayMs: number): void {
    this.#timer.arm(delayMs, () => this.#pass());
  }

  #pass(): void {
    this.#timer.disarm();
    this.#turn?.[Symbol.dispose]();
    this.#turn = null;
  }
}
