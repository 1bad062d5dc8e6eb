/** When somebody listened. Chat is not replayed: what was said while nobody did is lost, and the time is counted. */
import type { AdapterContext } from "../../src/contract/adapter.ts";
import { GatewayError } from "../../src/contract/errors.ts";
import { every, withDeadline } from "../../src/support/time.ts";

/** After a life that was killed, so much too much is counted at the most. */
const storePeriodMs = 30_000;
/** For the last word of a life that ends in peace. */
const lastStoreTimeoutMs = 300;

/** One generation's, going on where the one before it stopped. */
export class Attendance implements AsyncDisposable {
  readonly #context: Pick<AdapterContext, "resume" | "missed" | "log">;
  readonly #timer: Disposable;
  #heardAtMs: number | null;
  #isPresent = false;

  private constructor(context: Pick<AdapterContext, "resume" | "missed" | "log">, heardAtMs: number | null) {
    this.#context = context;
    this.#heardAtMs = heardAtMs;
    this.#timer = every(
      storePeriodMs,
      () => void this.#storeLater(),
      () => {},
    );
  }

  /** With the time at which an earlier life heard something last. */
  static async load(context: Pick<AdapterContext, "resume" | "missed" | "log">): Promise<Attendance> {
    const state: unknown = await context.resume.load();
    const heardAtMs = (state as { readonly heardAtMs?: unknown } | null)?.heardAtMs;
    return new Attendance(context, typeof heardAtMs === "number" && Number.isFinite(heardAtMs) ? heardAtMs : null);
  }

  /** The bot is in its channels: what lies between the last frame and now is a gap. */
  begin(): void {
    const gapMs = this.#heardAtMs === null ? 0 : Date.now() - this.#heardAtMs;
    if (gapMs > 0) this.#context.missed({ gapSeconds: Math.ceil(gapMs / 1_000) });
    this.#isPresent = true;
    this.heard();
    void this.#storeLater();
  }

  /** A frame came. */
  heard(): void {
    if (this.#isPresent) this.#heardAtMs = Date.now();
  }

  /** The connection is gone. */
  end(): void {
    this.#isPresent = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#timer[Symbol.dispose]();
    // To the last moment the connection was good.
    this.heard();
    await withDeadline(this.#store(), lastStoreTimeoutMs, "Storing when chat was heard").catch(() => {
      // The next life then counts a little more than was missed.
    });
  }

  async #storeLater(): Promise<void> {
    if (!this.#isPresent) return;
    try {
      await this.#store();
    } catch (reason) {
      this.#context.log.debug("twitch-attendance-not-stored", { error: GatewayError.from(reason).message });
    }
  }

  async #store(): Promise<void> {
    if (this.#heardAtMs !== null) await this.#context.resume.store({ heardAtMs: this.#heardAtMs });
  }
}
