/** Every standing condition of the gateway, from whichever stage it comes, each with the time it began. */
import type { Condition, ConditionCode } from "../contract/status.ts";

/** Conditions of this file's own making, and a list of everybody's. */
export class ConditionBoard {
  readonly #own = new Map<ConditionCode, Condition>();
  readonly #sources: (() => readonly Condition[])[] = [];

  /** Adds a stage that keeps its own conditions. */
  addSource(conditions: () => readonly Condition[]): void {
    this.#sources.push(conditions);
  }

  /** Says that `code` holds (`message`) or no longer does (`null`). Its time is that of the first message. */
  set(code: ConditionCode, message: string | null): void {
    if (message === null) {
      this.#own.delete(code);
      return;
    }
    const since = this.#own.get(code)?.since ?? new Date().toISOString();
    this.#own.set(code, { code, key: null, message, since });
  }

  /** All of them; one that two stages tell is listed once. */
  list(): readonly Condition[] {
    const byIdentity = new Map<string, Condition>();
    for (const condition of [...this.#own.values(), ...this.#sources.flatMap((source) => source())]) {
      const identity = `${condition.code} ${condition.key ?? ""}`;
      if (!byIdentity.has(identity)) byIdentity.set(identity, condition);
    }
    return [...byIdentity.values()];
  }
}
