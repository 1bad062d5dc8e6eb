/** The replies of one handler's call, in order, and which of their failures nobody looked at. */

/** A promise that knows whether anyone waits for it. */
class WatchedPromise extends Promise<void> {
  isWatched = false;

  // What `then` makes of it need not be watched.
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  // oxlint-disable-next-line unicorn/no-thenable -- being asked for its outcome is what it watches
  override then<Value = void, Failure = never>(
    onFulfilled?: ((value: void) => Value | PromiseLike<Value>) | null,
    onRejected?: ((reason: unknown) => Failure | PromiseLike<Failure>) | null,
  ): Promise<Value | Failure> {
    this.isWatched = true;
    return super.then(onFulfilled, onRejected);
  }
}

const nothingYet = Promise.resolve();

/**
 * Says one thing after the other. A reply that failed unseen fails the handler: it must not be acked as if it had been
 * said. One whose failure the handler saw is the handler's business.
 */
export class ReplyLine {
  #last = nothingYet;
  #open = 0;
  readonly #failed: { readonly promise: WatchedPromise; readonly reason: unknown }[] = [];

  /** Runs `say` once all earlier replies are through, failed or not. */
  add(say: () => Promise<void>): Promise<void> {
    const done = this.#open === 0 ? say() : this.#last.then(say);
    this.#open += 1;
    const promise = new WatchedPromise((resolve, reject) => {
      done.then(resolve, reject);
    });
    this.#last = this.#settle(done, promise);
    return promise;
  }

  /** Never rejects. */
  async #settle(done: Promise<void>, promise: WatchedPromise): Promise<void> {
    try {
      await done;
    } catch (reason) {
      this.#failed.push({ promise, reason });
      // Not an unhandled rejection, which would end the thread and everyone else's handlers with it.
      void Promise.prototype.then.call(promise, undefined, () => {});
    }
    this.#open -= 1;
  }

  /** Resolves when all are through. @throws why the first unseen one failed. */
  async finish(): Promise<void> {
    if (this.#open > 0) await this.#last;
    const unseen = this.#failed.find(({ promise }) => !promise.isWatched);
    if (unseen !== undefined) throw unseen.reason;
  }
}
