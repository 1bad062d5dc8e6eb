/** Messages and how far their source was read, to the gateway: both are on disk or neither. */
import type { AdapterContext } from "../contract/adapter.ts";
import { GatewayError } from "../contract/errors.ts";
import type { EmittedMessage } from "../contract/message.ts";

/** What goes together. */
export type EmittedWithState = {
  readonly messages: readonly EmittedMessage[];
  /** To be resumed from once the messages are on disk; `null`: it stays as it is. */
  readonly state: unknown;
  /** What was to be resumed from before. */
  readonly stateBefore: () => unknown;
  /** The gateway will never take this one. */
  readonly onRefused: (message: EmittedMessage, error: GatewayError) => void;
};

/**
 * What one turn says goes in one frame. Resolves when all of it is on disk, or refused for good.
 * @throws {GatewayError} `queue_full`, `journal_unavailable` and others that pass: nothing has changed.
 */
export async function emitWithState(
  context: Pick<AdapterContext, "emit" | "resume">,
  { messages, state, stateBefore, onRefused }: EmittedWithState,
): Promise<void> {
  try {
    const emitted = messages.length === 0 ? undefined : context.emit(messages);
    await Promise.all([emitted, state === null ? undefined : context.resume.store(state)]);
  } catch (reason) {
    if (!isOwnFault(reason)) throw reason;
    // One message that the gateway cannot take must not hold the others back for ever. None of them has left: in what is
    // still the same turn the state is taken back, and follows the last of them.
    if (state !== null) await context.resume.store(stateBefore());
    for (const message of messages)
      try {
        await context.emit(message);
      } catch (failure) {
        if (!isOwnFault(failure)) throw failure;
        onRefused(message, GatewayError.from(failure));
      }
    if (state !== null) await context.resume.store(state);
  }
}

/** What no waiting mends. */
function isOwnFault(reason: unknown): boolean {
  const { code } = GatewayError.from(reason);
  return code === "invalid_request" || code === "too_large";
}
