/** Small durable state by scope and key, over the journal: resume points, backoff, budgets, placement, generations. */
import type { Journal, JournalWrite } from "../contract/journal.ts";
import type { Logger } from "../support/logger.ts";
import { after } from "../support/time.ts";

const retryMs = 1_000;

type Values = Map<string, string | null>;

/** Puts are gathered, the last value of a key wins, and what cannot be written is tried again every second. */
export class DurableStore {
  readonly #journal: Pick<Journal, "commit" | "query">;
  readonly #logger: Logger;
  /** By scope: what is not on its way yet, and what is. */
  #waiting = new Map<string, Values>();
  #written = new Map<string, Values>();
  #writing: Promise<void> | null = null;
  #retry: Disposable | null = null;

  constructor(journal: Pick<Journal, "commit" | "query">, logger: Logger) {
    this.#journal = journal;
    this.#logger = logger;
  }

  /**
   * Every value of a scope by key, with what was put and is not on disk yet.
   * @throws {GatewayError} `journal_unavailable`.
   */
  async load(scope: string): Promise<Readonly<Record<string, string>>> {
    const values = new Map<string, string | null>(Object.entries(await this.#journal.query("scope", { scope })));
    for (const source of [this.#written, this.#waiting])
      for (const [key, value] of source.get(scope) ?? []) values.set(key, value);
    return Object.fromEntries([...values].filter((entry): entry is [string, string] => entry[1] !== null));
  }

  /** Sets a value, or with `null` removes it. On disk a moment later; see {@link flush}. */
  put(scope: string, key: string, value: string | null): void {
    valuesOf(this.#waiting, scope).set(key, value);
    if (this.#writing !== null || this.#retry !== null) return;
    // What is put in the same turn goes into the same commit.
    this.#retry = { [Symbol.dispose]: () => {} };
    queueMicrotask(() => this.#writeSoon());
  }

  /**
   * Resolves when all that was put before is on disk.
   * @throws {GatewayError} `journal_unavailable`; it is still tried again.
   */
  async flush(): Promise<void> {
    if (this.#writing !== null || this.#waiting.size > 0) await this.#write();
  }

  #writeSoon(): void {
    this.#retry = null;
    if (this.#writing !== null || this.#waiting.size === 0) return;
    // A failure is logged and tried again by #write itself; only flush() has anyone to tell.
    this.#write().catch(() => {});
  }

  /** A write under way goes on until nothing waits: what joins it is written too. */
  #write(): Promise<void> {
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = null;
    });
    return this.#writing;
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.size > 0) {
      this.#written = this.#waiting;
      this.#waiting = new Map();
      try {
        await this.#journal.commit(writesOf(this.#written));
      } catch (reason) {
        this.#putBack();
        this.#logger.warn("durable-store-write-failed", { error: String(reason), retryMs });
        this.#retry?.[Symbol.dispose]();
        this.#retry = after(retryMs, () => this.#writeSoon());
        throw reason;
      } finally {
        this.#written = new Map();
      }
    }
  }

  /** What was put in the meantime is newer. */
  #putBack(): void {
    for (const [scope, values] of this.#written) {
      const waiting = valuesOf(this.#waiting, scope);
      for (const [key, value] of values) if (!waiting.has(key)) waiting.set(key, value);
    }
  }
}

function valuesOf(scopes: Map<string, Values>, scope: string): Values {
  let values = scopes.get(scope);
  if (values === undefined) {
    values = new Map();
    scopes.set(scope, values);
  }
  return values;
}

function writesOf(scopes: ReadonlyMap<string, Values>): JournalWrite[] {
  return [...scopes].flatMap(([scope, values]) =>
    [...values].map(([key, value]): JournalWrite => ({ op: "put", scope, key, value })),
  );
}
