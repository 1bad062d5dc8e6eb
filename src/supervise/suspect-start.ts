/**
 * The start of an adapter that was already starting, or otherwise suspect, when a shared host died. Only one of them at a
 * time starts there: if the host dies again, it is known at whose start.
 */
import { after } from "../support/time.ts";
import type { StartSlots } from "./start-slots.ts";

/** A start that takes longer no longer keeps the others waiting: what kills its host at every start does so soon. */
export const suspectTurnMs = 3_000;

/** Waits for the turn of the suspects, then for a slot as everyone does. For one start. */
export class SuspectStart implements Disposable {
  readonly #turns: StartSlots;
  readonly #slots: StartSlots;
  #turn: Disposable | null = null;
  #timer: Disposable | null = null;

  /** `turns`: one slot, shared by all suspects. */
  constructor(options: { readonly turns: StartSlots; readonly slots: StartSlots }) {
    this.#turns = options.turns;
    this.#slots = options.slots;
  }

  /** A slot, in the suspect's turn, which lasts until this is disposed, or {@link suspectTurnMs}. Rejects with the signal's reason. */
  async acquire(signal: AbortSignal): Promise<Disposable> {
    this.#turn = await this.#turns.acquire(signal);
    this.#timer = after(suspectTurnMs, () => this.#pass());
    try {
      return await this.#slots.acquire(signal);
    } catch (reason) {
      this.#pass();
      throw reason;
    }
  }

  /** Its host comes in `delayMs`: the turn lasts as long after that. */
  extend(delayMs: number): void {
    if (this.#turn === null) return;
    this.#timer?.[Symbol.dispose]();
    this.#timer = after(delayMs + suspectTurnMs, () => this.#pass());
  }

  /** Its start is over: the next one's turn. Its signal is aborted where it still waits for its own. */
  [Symbol.dispose](): void {
    this.#pass();
  }

  #pass(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = null;
    this.#turn?.[Symbol.dispose]();
    this.#turn = null;
  }
}
