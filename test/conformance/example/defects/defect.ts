/** The example's adapter with one thing done wrong, and what must notice it. */
import type { AdapterContext, AdapterModule, RunningAdapter, SendRequest } from "../../../../src/contract/adapter.ts";
import type { EmittedMessage } from "../../../../src/contract/message.ts";
import type { AdapterTheme } from "../../conformance.ts";
import acme, { type AcmeSettings } from "../acme-adapter.ts";

/** The example's, or one like it. */
export type AcmeModule = AdapterModule<AcmeSettings>;
/** What it is started with. */
export type AcmeContext = AdapterContext<AcmeSettings>;

/** One way to be wrong that a busy author could overlook. */
export type Defect = {
  /** As in "an adapter that …". */
  readonly does: string;
  readonly module: AcmeModule;
  /** The titles of the cases that fail, by the themes that it is tried on. All others of these themes hold. */
  readonly fails: Readonly<Partial<Record<AdapterTheme, readonly string[]>>>;
  /** The case in a gateway that fails, and what it says. */
  readonly inGateway?: { readonly fails: string; readonly says: RegExp };
};

type Sent = Awaited<ReturnType<NonNullable<RunningAdapter["send"]>>>;

/** Another `start` than the example's. */
export function withStart(start: AcmeModule["start"]): AcmeModule {
  return { ...acme, start };
}

/** Something else than what becomes of a start that fails. */
export function withFailure(change: (reason: unknown, context: AcmeContext) => unknown): AcmeModule {
  return withStart(async (context) => {
    try {
      return await acme.start(context);
    } catch (reason) {
      throw change(reason, context);
    }
  });
}

/** The running adapter with some of its functions replaced. */
export function withRunning(
  replacement: (running: RunningAdapter, context: AcmeContext) => Partial<RunningAdapter>,
): AcmeModule {
  return withStart(async (context) => {
    const running = await acme.start(context);
    return { ...running, ...replacement(running, context) };
  });
}

/** Another `send`; `send` is the example's. */
export function withSend(
  change: (request: SendRequest, send: (request: SendRequest) => Promise<Sent>, context: AcmeContext) => Promise<Sent>,
): AcmeModule {
  return withRunning((running, context) => ({
    send: (request) => change(request, async (changed) => running.send?.(changed), context),
  }));
}

/** Another `emit`; it gets what the example emits. */
export function withEmit(
  change: (message: EmittedMessage, emit: (message: EmittedMessage) => Promise<readonly string[]>) => Promise<unknown>,
): AcmeModule {
  return withStart((context) =>
    acme.start(emitting(context, (message) => change(message, (changed) => context.emit(changed)))),
  );
}

/** Other messages than the example's; `null`: none, and Acme is told that it has arrived. */
export function withMessages(change: (message: EmittedMessage) => EmittedMessage | null): AcmeModule {
  return withEmit(async (message, emit) => {
    const changed = change(message);
    if (changed !== null) await emit(changed);
  });
}

/** `context` with another `emit`. The example emits one message at a time, and wants no ids. */
export function emitting(context: AcmeContext, emit: (message: EmittedMessage) => Promise<unknown>): AcmeContext {
  return {
    ...context,
    async emit(message) {
      await emit(message as EmittedMessage);
      return [];
    },
  };
}
