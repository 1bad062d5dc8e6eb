/** Keeps what came first first where something has to be asked before it can go on. */

/** One line per conversation; empty lines are not kept. */
export class InOrder {
  readonly #lines = new Map<string, Promise<void>>();

  /**
   * Calls `act` with what `prepare` gives, after every earlier `act` of the same conversation has been called; whether
   * those have settled does not matter. Without a wait both happen now.
   */
  async run<Prepared, Result>(
    conversation: string,
    prepare: () => Prepared | Promise<Prepared>,
    act: (prepared: Prepared) => Promise<Result>,
  ): Promise<Result> {
    const before = this.#lines.get(conversation);
    const prepared = prepare();
    if (before === undefined && !(prepared instanceof Promise)) return act(prepared);
    const turn = Promise.withResolvers<void>();
    this.#lines.set(conversation, turn.promise);
    try {
      const [value] = await Promise.all([prepared, before]);
      return await this.#actAndStep(act, value, turn);
    } finally {
      turn.resolve();
      if (this.#lines.get(conversation) === turn.promise) this.#lines.delete(conversation);
    }
  }

  async #actAndStep<Prepared, Result>(
    act: (prepared: Prepared) => Promise<Result>,
    value: Prepared,
    turn: PromiseWithResolvers<void>,
  ): Promise<Result> {
    const acting = act(value);
    turn.resolve();
    return acting;
  }
}
