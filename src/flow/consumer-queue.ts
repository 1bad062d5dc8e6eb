/** One consumer by name: what waits for it, and whoever is attached under that name. */
import type { Line } from "./consumer-line.ts";
import type { Lane } from "./lane.ts";
import { ReadyLanes } from "./ready-lanes.ts";

/** A consumer whether anyone is attached or not. During a replacement the old line drains while the new one takes. */
export class ConsumerQueue {
  readonly name: string;
  readonly ready = new ReadyLanes();
  /** Lanes of a consumer that is gone, and that no other takes. */
  readonly parked: Lane[] = [];
  readonly #lines: Line[] = [];
  #turn = 0;

  constructor(name: string) {
    this.name = name;
  }

  /** Somebody is attached. */
  get isAttached(): boolean {
    return this.#lines.length > 0;
  }

  /** Adds an attached consumer. */
  add(line: Line): void {
    this.#lines.push(line);
  }

  /** Removes one that takes no more. */
  remove(line: Line): void {
    const index = this.#lines.indexOf(line);
    if (index !== -1) this.#lines.splice(index, 1);
  }

  /** The next attached one in turn that may take a message, or `null`. */
  lineWithRoom(): Line | null {
    const count = this.#lines.length;
    for (let offset = 0; offset < count; offset += 1) {
      const index = (this.#turn + offset) % count;
      const line = this.#lines[index];
      if (line === undefined || !line.hasRoom) continue;
      this.#turn = index + 1;
      return line;
    }
    return null;
  }
}
