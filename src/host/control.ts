/**
 * The control plane's calling side, inside a host: Comlink under deadlines. Comlink never settles a call to a dead
 * thread, so each one is raced with its deadline and with the end of its generation.
 */
import { wrap } from "comlink";
import type { MessagePort } from "node:worker_threads";
import { GatewayError } from "../contract/errors.ts";
import { controlMethods, type ControlMethod, type Outcome } from "../contract/protocol.ts";
import { TimeoutError, withDeadline } from "../support/time.ts";

/** Calls one generation's shim. */
export class Control {
  readonly #methods: Readonly<Record<ControlMethod, (args: unknown) => Promise<unknown>>>;
  readonly #port: MessagePort;
  readonly #ended: AbortSignal;

  /** `ended` is aborted when the generation's thread is gone. */
  constructor(port: MessagePort, ended: AbortSignal) {
    this.#port = port;
    this.#ended = ended;
    // A MessagePort of Node is an EventTarget: with it, unlike with Comlink's adapter, nothing needs releasing but the port.
    const remote = wrap<Record<ControlMethod, (args: unknown) => unknown>>(port);
    this.#methods = Object.fromEntries(
      controlMethods.map((method) => [method, async (args: unknown): Promise<unknown> => remote[method](args)]),
    ) as Record<ControlMethod, (args: unknown) => Promise<unknown>>;
  }

  /** Never rejects: what went wrong is an outcome too. */
  async call(method: ControlMethod, args: unknown, deadlineMs: number): Promise<Outcome> {
    const gone = Promise.withResolvers<never>();
    const onEnded = (): void => gone.reject(new GatewayError("worker_crashed", `The thread ended during ${method}`));
    if (this.#ended.aborted) onEnded();
    this.#ended.addEventListener("abort", onEnded, { once: true });
    gone.promise.catch(() => {});
    try {
      const answer = Promise.race([this.#methods[method](args), gone.promise]);
      return (await withDeadline(answer, deadlineMs, `The call ${method}`)) as Outcome;
    } catch (reason) {
      const error =
        reason instanceof TimeoutError ? new GatewayError("timeout", reason.message) : GatewayError.from(reason);
      return { ok: false, error: error.toReport() };
    } finally {
      this.#ended.removeEventListener("abort", onEnded);
    }
  }

  /** Closes the port; a call in flight ends with its generation's signal. */
  close(): void {
    this.#port.close();
  }
}
