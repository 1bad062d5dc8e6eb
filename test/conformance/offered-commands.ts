/** The commands that an emulated platform offers now, and something to wait for another list. */
import { Observed } from "./observed.ts";

/** One list, replaced as a whole. */
export class OfferedCommands {
  readonly #lists = new Observed<readonly string[]>();

  /** From now on it offers these. */
  set(names: readonly string[]): void {
    this.#lists.add(names.toSorted());
  }

  /** Resolves when it offers these and no others, in whatever order. @throws {Error} after the kit's deadline. */
  async are(names: readonly string[]): Promise<void> {
    const wanted = names.toSorted().join(" ");
    const { items } = this.#lists;
    while ((items.at(-1) ?? []).join(" ") !== wanted)
      await this.#lists.count(items.length + 1, `the offer of [${wanted}]`);
  }
}
