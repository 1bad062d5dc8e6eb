/**
 * Bolt's way from a body to a listener, through a receiver that acknowledges nothing: bolt itself says "received" before any
 * listener has run, so its word for that goes nowhere, and whoever delivered the body gets the outcome instead.
 */
import { App, type Logger, type Receiver } from "@slack/bolt";
import type { Identity } from "./api.ts";
import { fieldsOf, type Fields } from "./fields.ts";

/** What became of one body. `unknown`: bolt does not know its kind, or could not read it. */
export type GateOutcome = { readonly kind: "handled"; readonly answer: Fields } | { readonly kind: "unknown" };

type Slot = { outcome: { readonly answer: Fields } | { readonly failure: unknown } | null };

/** One app and its only listener. */
export class BoltGate implements Receiver {
  #app: App | null = null;

  /** `handle` gets every body that bolt knows the kind of; what it resolves with goes into the acknowledgement. */
  constructor(options: {
    readonly identity: Identity;
    readonly logger: Logger;
    readonly handle: (body: Fields) => Promise<Fields>;
  }) {
    const { userId, botId, teamId } = options.identity;
    const app = new App({
      receiver: this,
      logger: options.logger,
      // A fresh one each time, since bolt writes into it.
      authorize: async () => ({ botUserId: userId, botId, teamId }),
      // Known already, and bolt's own check at this point ends the thread.
      tokenVerificationEnabled: false,
      ignoreSelf: false,
      convoStore: false,
      attachFunctionToken: false,
    });
    app.use(async ({ body, context }) => {
      const slot = context["slot"] as Slot;
      try {
        slot.outcome = { answer: await options.handle(fieldsOf(body)) };
      } catch (failure) {
        // Handed to whoever waits for it: bolt would log it and go on.
        slot.outcome = { failure };
      }
    });
  }

  /** Called by bolt. */
  init(app: App): void {
    this.#app = app;
  }

  /** Called by bolt, never by us: sockets and listeners have owners of their own. */
  async start(): Promise<void> {}

  /** See {@link BoltGate.start}. */
  async stop(): Promise<void> {}

  /** Passes one body through. Rejects with what `handle` rejected with: it must not be acknowledged then. */
  async pass(body: Fields): Promise<GateOutcome> {
    const slot: Slot = { outcome: null };
    try {
      await this.#app?.processEvent({ body, ack: async () => {}, customProperties: { slot } });
    } catch {
      // What bolt cannot take apart it never will.
      return { kind: "unknown" };
    }
    if (slot.outcome === null) return { kind: "unknown" };
    if ("failure" in slot.outcome) throw slot.outcome.failure;
    return { kind: "handled", answer: slot.outcome.answer };
  }
}
