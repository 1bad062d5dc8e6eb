/** What a handler throws for a message that no further attempt can help. */

const rejectMessageName = "RejectMessage";

/** Thrown by a handler: the message becomes a dead letter at once, with this reason. */
export class RejectMessage extends Error {
  override readonly name = rejectMessageName;
}

/** Whether `reason` is a {@link RejectMessage}, also one of another copy of this module, which `instanceof` would not know. */
export function isRejectMessage(reason: unknown): reason is Error {
  return reason instanceof Error && reason.name === rejectMessageName;
}
