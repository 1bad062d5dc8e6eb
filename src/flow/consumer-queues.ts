/** Every consumer that anything was ever for, and which of them have to be looked at again. */
import { ConsumerQueue } from "./consumer-queue.ts";
import type { Lane } from "./lane.ts";

/** Consumers by name, made on first mention: messages may wait for one that nobody has attached to. */
export class ConsumerQueues {
  readonly #byName = new Map<string, ConsumerQueue>();
  readonly #touched = new Set<ConsumerQueue>();
  #configured: ReadonlySet<string> = new Set();

  /** The consumer of that name, where anything was ever for it. */
  get(name: string): ConsumerQueue | undefined {
    return this.#byName.get(name);
  }

  /** The consumer of that name, to be looked at again: something waits for it, or it has room. */
  touch(name: string): ConsumerQueue {
    let queue = this.#byName.get(name);
    if (queue === undefined) {
      queue = new ConsumerQueue(name);
      this.#byName.set(name, queue);
    }
    this.#touched.add(queue);
    return queue;
  }

  /** What has to be looked at, each taken off the list as it is handed out. */
  *touched(): Iterable<ConsumerQueue> {
    for (const queue of this.#touched) {
      this.#touched.delete(queue);
      yield queue;
    }
  }

  /** Messages may be left waiting for it. */
  isKnown(queue: ConsumerQueue): boolean {
    return queue.isAttached || this.#configured.has(queue.name);
  }

  /** Other names are configured now. All are to be looked at; what had no consumer is given back to be tried again. */
  configure(names: ReadonlySet<string>): Lane[] {
    this.#configured = names;
    const parked: Lane[] = [];
    for (const queue of this.#byName.values()) {
      parked.push(...queue.parked.splice(0));
      this.#touched.add(queue);
    }
    return parked;
  }
}
