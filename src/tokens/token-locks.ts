/** Who may renew which credential just now: one at a time, and never somebody who is dead. In memory. */
import { GatewayError } from "../contract/errors.ts";
import { after } from "../support/time.ts";

/** One generation of one adapter. */
export type Holder = { readonly key: string; readonly generation: number };

type Waiter = { readonly holder: Holder; readonly granted: PromiseWithResolvers<void> };
type Lock = { holder: Holder; readonly waiting: Waiter[] };

const mostWaiting = 1_000;

/** The locks of all credentials; a credential is named by a fingerprint. */
export class TokenLocks {
  readonly #locks = new Map<string, Lock>();
  readonly #isLive: (holder: Holder) => boolean;

  constructor(isLive: (holder: Holder) => boolean) {
    this.#isLive = isLive;
  }

  /**
   * Resolves when `holder` has the credential to itself.
   * @throws {GatewayError} `timeout` after `waitMs`, `queue_full`, `conflict` when it has a lock already, `adapter_unavailable` when it died meanwhile.
   */
  async acquire(credential: string, holder: Holder, waitMs: number): Promise<void> {
    if (this.heldBy(holder) !== null)
      throw new GatewayError("conflict", `Cannot lock the token of ${holder.key}: this generation holds a lock`);
    this.releaseDead();
    const lock = this.#locks.get(credential);
    if (lock === undefined) {
      this.#locks.set(credential, { holder, waiting: [] });
      return;
    }
    if (lock.waiting.length >= mostWaiting)
      throw new GatewayError("queue_full", `Cannot lock the token of ${holder.key}: ${mostWaiting} others wait`);
    await this.#wait(lock, holder, waitMs);
  }

  /** The credential whose lock `holder` has; `null`: none. */
  heldBy(holder: Holder): string | null {
    for (const [credential, lock] of this.#locks) if (isSame(lock.holder, holder)) return credential;
    return null;
  }

  /** Gives back what `holder` has, and its place in a line. Nothing is harmless. */
  release(holder: Holder): void {
    for (const { waiting } of this.#locks.values()) {
      const waiter = waiting.find((each) => isSame(each.holder, holder));
      if (waiter !== undefined) this.#refuse(waiting.splice(waiting.indexOf(waiter), 1));
    }
    const credential = this.heldBy(holder);
    if (credential !== null) this.#pass(credential);
  }

  /** Gives back what dead generations have. */
  releaseDead(): void {
    for (const [credential, { holder }] of this.#locks) if (!this.#isLive(holder)) this.#pass(credential);
  }

  async #wait(lock: Lock, holder: Holder, waitMs: number): Promise<void> {
    const waiter = { holder, granted: Promise.withResolvers<void>() };
    lock.waiting.push(waiter);
    using _deadline = after(waitMs, () => {
      lock.waiting.splice(lock.waiting.indexOf(waiter), 1);
      const message = `Cannot lock the token of ${holder.key}: ${lock.holder.key} still renews it after ${waitMs} ms`;
      waiter.granted.reject(new GatewayError("timeout", message));
    });
    await waiter.granted.promise;
  }

  /** To the next in line that lives. */
  #pass(credential: string): void {
    const lock = this.#locks.get(credential);
    if (lock === undefined) return;
    const index = lock.waiting.findIndex(({ holder }) => this.#isLive(holder));
    this.#refuse(lock.waiting.splice(0, index === -1 ? lock.waiting.length : index));
    const next = lock.waiting.shift();
    if (next === undefined) {
      this.#locks.delete(credential);
      return;
    }
    lock.holder = next.holder;
    next.granted.resolve();
  }

  #refuse(waiters: readonly Waiter[]): void {
    for (const { holder, granted } of waiters)
      granted.reject(new GatewayError("adapter_unavailable", `Cannot lock the token of ${holder.key}: it is gone`));
  }
}

function isSame(one: Holder, other: Holder): boolean {
  return one.key === other.key && one.generation === other.generation;
}
