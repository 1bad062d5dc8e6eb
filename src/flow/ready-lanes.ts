/** Lanes whose head may go, waiting for one consumer: taken adapter by adapter, within an adapter lane by lane. */
import { Fifo } from "./fifo.ts";
import type { Lane } from "./lane.ts";

/** Round robin, so that ten thousand busy lanes of one adapter wait for each other and not in front of another's. */
export class ReadyLanes {
  /** In order of turns: the first adapter is next. */
  readonly #byKey = new Map<string, Fifo<Lane>>();
  #size = 0;

  /** How many wait. */
  get size(): number {
    return this.#size;
  }

  /** Adds a lane at the end of its adapter's. */
  push(lane: Lane): void {
    let lanes = this.#byKey.get(lane.key);
    if (lanes === undefined) {
      lanes = new Fifo();
      this.#byKey.set(lane.key, lanes);
    }
    lanes.push(lane);
    this.#size += 1;
  }

  /** Takes the next one; `undefined` when none waits. */
  shift(): Lane | undefined {
    if (this.#size === 0) return undefined;
    const next = this.#byKey.entries().next();
    if (next.done === true) return undefined;
    const [key, lanes] = next.value;
    const lane = lanes.shift();
    this.#size -= 1;
    if (lanes.size === 0) this.#byKey.delete(key);
    else if (this.#byKey.size > 1) {
      this.#byKey.delete(key);
      this.#byKey.set(key, lanes);
    }
    return lane;
  }
}
