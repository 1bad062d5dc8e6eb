/** Where each adapter goes on after a respawn: read once at the start, then kept in step with what the journal has committed. */
import type { Journal } from "../contract/journal.ts";

/** The journal's scope for resume states, by runtime key. */
export const resumeScope = "resume";

/** The last committed resume state of every adapter. */
export class ResumeStates {
  readonly #states: Map<string, unknown>;

  private constructor(states: Map<string, unknown>) {
    this.#states = states;
  }

  /** @throws {GatewayError} `journal_unavailable`. */
  static async load(journal: Pick<Journal, "query">): Promise<ResumeStates> {
    const stored = await journal.query("scope", { scope: resumeScope });
    return new ResumeStates(
      new Map(Object.entries(stored).map(([key, json]): [string, unknown] => [key, JSON.parse(json)])),
    );
  }

  /** `null` where nothing was ever stored. */
  get(key: string): unknown {
    return this.#states.get(key) ?? null;
  }

  /** The state is on disk. */
  committed(key: string, state: unknown): void {
    this.#states.set(key, state);
  }
}
