/** Lets go of the loop until nothing is left that waits for its turn only. */

/** Microtasks and immediates, several times over; timers do not run. */
export async function turns(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) {
    const { promise, resolve } = Promise.withResolvers<void>();
    setImmediate(resolve);
    await promise;
  }
}
