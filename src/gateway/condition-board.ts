/** Every standing condition of the gateway, from whichever stage it comes, each with the time it began. */
import type { Condition, ConditionCode } from "../contract/status.ts";
import { every } from "../support/time.ts";

const lookPeriodMs = 1000;

/** Conditions of this file's own making, and a list of everybody's. */
export class ConditionBoard {
  readonly #own = new Map<ConditionCode, Condition>();
  readonly #sources: (() => readonly Condition[])[] = [];
  #onChange: ((conditions: readonly Condition[]) => void) | null = null;
  #lastSeen = "";

  /** Adds a stage that keeps its own conditions. */
  addSource(conditions: () => readonly Condition[]): void {
    this.#sources.push(conditions);
  }

  /** Says that `code` holds (`message`) or no longer does (`null`). Its time is that of the first message. */
  set(code: ConditionCode, message: string | null): void {
    const since = this.#own.get(code)?.since ?? new Date().toISOString();
    if (message === null) this.#own.delete(code);
    else this.#own.set(code, { code, key: null, message, since });
    this.#look();
  }

  /** All of them; one that two stages tell is listed once. */
  list(): readonly Condition[] {
    const byIdentity = new Map<string, Condition>();
    for (const condition of [...this.#own.values(), ...this.#sources.flatMap((source) => source())])
      if (!byIdentity.has(identity(condition))) byIdentity.set(identity(condition), condition);
    return [...byIdentity.values()];
  }

  /** From now on `onChange` gets all of them within a second of one that comes or goes. Until disposed. */
  watch(onChange: (conditions: readonly Condition[]) => void): Disposable {
    this.#onChange = onChange;
    const timer = every(
      lookPeriodMs,
      () => this.#look(),
      () => {},
    );
    return {
      [Symbol.dispose]: () => {
        timer[Symbol.dispose]();
        this.#onChange = null;
      },
    };
  }

  #look(): void {
    if (this.#onChange === null) return;
    const conditions = this.list();
    // Not their messages: some count bytes, and would be news every time.
    const seen = conditions.map((condition) => `${identity(condition)} ${condition.since}`).join("\n");
    if (seen === this.#lastSeen) return;
    this.#lastSeen = seen;
    this.#onChange(conditions);
  }
}

/** Several bindings may be skipped at once, and only their messages tell them apart. */
function identity({ code, key, message }: Condition): string {
  return JSON.stringify([code, key, code === "binding_skipped" ? message : ""]);
}
