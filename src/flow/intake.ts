/** What adapters sent and no transaction has taken yet: a queue for each, emptied in turns so that a flood waits for itself. */
import type { GatewayError } from "../contract/errors.ts";
import type { RoutingHeader } from "../contract/message.ts";
import { Fifo } from "./fifo.ts";

/** A data frame on its way to the journal. */
export type IntakeFrame = {
  readonly key: string;
  readonly headers: readonly RoutingHeader[];
  readonly body: Uint8Array;
  /** The adapter's resume state as JSON, `undefined` when the frame brings none. */
  readonly resume: string | undefined;
  readonly receivedAtMs: number;
  readonly settle: (error: GatewayError | null) => void;
};

/** How much one transaction takes. A frame is never split: all of it is stored or none. */
export type GroupLimits = { readonly messages: number; readonly bytes: number };

/** Messages an adapter may put into a group before the next one's turn. */
const turnMessages = 64;

type Queue = { readonly frames: Fifo<IntakeFrame>; credit: number; messages: number };

/** Deficit round robin over adapters: a long frame waits the turns it costs, a short one does not wait for it. */
export class Intake {
  /** In order of turns: the first is next. */
  readonly #queues = new Map<string, Queue>();

  /** Nothing waits. */
  get isEmpty(): boolean {
    return this.#queues.size === 0;
  }

  /** How many messages of one adapter wait. */
  messagesOf(key: string): number {
    return this.#queues.get(key)?.messages ?? 0;
  }

  /** Takes a frame in. */
  push(frame: IntakeFrame): void {
    let queue = this.#queues.get(frame.key);
    if (queue === undefined) {
      queue = { frames: new Fifo(), credit: 0, messages: 0 };
      this.#queues.set(frame.key, queue);
    }
    queue.frames.push(frame);
    queue.messages += frame.headers.length;
  }

  /** The next transaction's frames: adapter by adapter, each in its own order, at least one if any waits. */
  takeGroup(limits: GroupLimits): IntakeFrame[] {
    const group: IntakeFrame[] = [];
    let messages = 0;
    let bytes = 0;
    while (messages < limits.messages && bytes < limits.bytes) {
      const next = this.#queues.entries().next();
      if (next.done === true) break;
      const [key, queue] = next.value;
      this.#queues.delete(key);
      queue.credit += turnMessages;
      let frame = queue.frames.peek();
      while (
        frame !== undefined &&
        costOf(frame) <= queue.credit &&
        messages < limits.messages &&
        bytes < limits.bytes
      ) {
        queue.frames.shift();
        queue.credit -= costOf(frame);
        queue.messages -= frame.headers.length;
        messages += frame.headers.length;
        bytes += frame.body.length;
        group.push(frame);
        frame = queue.frames.peek();
      }
      if (frame !== undefined) this.#queues.set(key, queue);
    }
    return group;
  }
}

function costOf(frame: IntakeFrame): number {
  // A frame without messages (resume state alone) still takes a place.
  return Math.max(1, frame.headers.length);
}
