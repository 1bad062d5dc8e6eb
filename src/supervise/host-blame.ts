/**
 * Whose fault the end of a shared host was, where its residents' last samples do not tell: the host is split in two. Who
 * takes its host down again is in one of the halves, and after log2(n) deaths alone.
 */

/** A shared host's end, or what makes it end: one object for all of its residents, however many are told. */
export type HostEnd = { readonly keys: readonly string[] };

/** One adapter as it stands when its host has gone. */
export interface BlamedAdapter {
  readonly key: string;
  /** The shared host it lives in: `""` is the common one, any other a part of what was split. */
  readonly group: string;
  /** It may be moved to a part: `isolation` is not `thread`. */
  readonly isMovable: boolean;
  /** What speaks against it; `null`: nothing. */
  suspicion(): string | null;
  moveTo(group: string): void;
  /** Back to the common host from the next generation on. */
  rejoin(): void;
}

/** What an end has shown. `suspects`: they are told apart by letting them start one at a time. */
export type Verdict =
  | { readonly kind: "suspects" }
  | { readonly kind: "split" }
  | { readonly kind: "alone"; readonly isSplitOff: boolean };

/** All adapters of a gateway that may share hosts. */
export class HostBlame {
  readonly #adapters = new Map<string, BlamedAdapter>();
  readonly #verdicts = new WeakMap<HostEnd, Verdict>();

  join(adapter: BlamedAdapter): void {
    this.#adapters.set(adapter.key, adapter);
  }

  leave(key: string): void {
    this.#adapters.delete(key);
  }

  /** The first of the residents to ask has it decided for all of them: none of them has been opened elsewhere by then. */
  judge(end: HostEnd): Verdict {
    const known = this.#verdicts.get(end);
    if (known !== undefined) return known;
    const verdict = this.#decide(end);
    this.#verdicts.set(end, verdict);
    return verdict;
  }

  /** The culprit is found: nobody else is kept apart any longer. */
  absolveOthers(culprit: string): void {
    for (const adapter of this.#adapters.values()) if (adapter.key !== culprit) adapter.rejoin();
  }

  #decide({ keys }: HostEnd): Verdict {
    const residents = [...new Set(keys)].toSorted().flatMap((key) => this.#adapters.get(key) ?? []);
    if (residents.some((resident) => resident.suspicion() !== null)) return { kind: "suspects" };
    const [only] = residents;
    if (only === undefined) return { kind: "alone", isSplitOff: false };
    // Whoever stays in the common host is as much apart from the others as they are.
    if (residents.length === 1)
      return { kind: "alone", isSplitOff: this.#adapters.values().some(({ group }) => group !== "") };
    const movable = residents.filter(({ isMovable }) => isMovable);
    const group = this.#freeGroup();
    for (const resident of movable.slice(0, Math.floor(residents.length / 2))) resident.moveTo(group);
    return { kind: "split" };
  }

  #freeGroup(): string {
    const taken = [...this.#adapters.values()].map(({ group }) => Number(group) || 0);
    return String(Math.max(0, ...taken) + 1);
  }
}
