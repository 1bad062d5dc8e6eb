/** Where a response goes: a channel, a thread in it, or somebody's direct messages. Pure. */
import { GatewayError } from "../../src/contract/errors.ts";
import type { ReplyTo } from "../../src/contract/message.ts";

/** A conversation's name, taken apart. Literal: `C01#thread:1700000000.000100` is `{ kind: "channel", id: "C01", threadTs: "1700…" }` */
export type Address = {
  /** `user`: the direct messages of user `id`, whose channel must be asked for. */
  readonly kind: "channel" | "user";
  readonly id: string;
  /** `""`: no thread. */
  readonly threadTs: string;
};

const form = /^(?<direct>dm:)?(?<id>[A-Z0-9]{2,64})(?:#thread:(?<thread>\d{1,12}\.\d{1,9}))?$/iu;

/** @throws {GatewayError} `invalid_request` for what is no address. */
export function parseAddress(conversation: string): Address {
  const groups = form.exec(conversation)?.groups;
  if (groups === undefined)
    throw new GatewayError(
      "invalid_request",
      `Cannot send to ${JSON.stringify(conversation.slice(0, 100))}: expected CHANNEL, dm:USER, or either with #thread:TS`,
    );
  const kind = groups["direct"] === undefined ? "channel" : "user";
  return { kind, id: (groups["id"] ?? "").toUpperCase(), threadTs: groups["thread"] ?? "" };
}

/** What of `replyTo` belongs to `channel`: a message elsewhere has no thread here. */
export function replyIn(channel: string, replyTo: ReplyTo | null): ReplyTo {
  return replyTo !== null && (replyTo["channel"] ?? channel) === channel ? replyTo : {};
}

/** The thread a response goes to, the address before the message it answers; `""`: none. */
export function threadOf(address: Address, replyTo: ReplyTo): string {
  return address.threadTs || (replyTo["thread_ts"] ?? "");
}
