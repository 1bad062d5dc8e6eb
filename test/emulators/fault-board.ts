/** Which faults are set, and how often they were met. */
import type { FaultPlace, PlatformFault } from "../conformance/emulated-platform.ts";
import { Observed } from "../conformance/observed.ts";

/** The faults of one emulator. */
export class FaultBoard {
  readonly #faults = new Map<FaultPlace, { readonly fault: PlatformFault; left: number }>();
  readonly #met = new Observed<FaultPlace>();

  set(place: FaultPlace, fault: PlatformFault): void {
    this.#faults.set(place, { fault, left: "times" in fault ? fault.times : Number.POSITIVE_INFINITY });
  }

  lift(place: FaultPlace): void {
    this.#faults.delete(place);
  }

  /** The fault that a call at `place` meets, which is counted; `null`: none. */
  meet(place: FaultPlace): PlatformFault | null {
    const set = this.#faults.get(place);
    if (set === undefined || set.left <= 0) return null;
    set.left -= 1;
    this.#met.add(place);
    return set.fault;
  }

  count(place: FaultPlace): number {
    return this.#met.items.filter((other) => other === place).length;
  }

  async met(place: FaultPlace, count: number): Promise<void> {
    await this.#met.count(count, `fault ${count} at ${place}`, (other) => other === place);
  }
}
