/** A thread's settlements, read without trusting it. */
import type { Settlement } from "../contract/delivery.ts";
import { GatewayError, parseErrorReport } from "../contract/errors.ts";
import { parseMeta, type Frame } from "../contract/frame.ts";

const longestReasonCharacters = 2000;

/**
 * A `data` frame of a consumer. Replies are views on the frame.
 * @throws {GatewayError} `invalid_request` when it is malformed: its thread cannot be trusted with anything further.
 */
export function parseSettlements(frame: Frame): readonly Settlement[] {
  const { settlements } = (parseMeta(frame) ?? {}) as Readonly<Record<string, unknown>>;
  if (!Array.isArray(settlements)) throw malformed("settlements are no list");
  let offset = 0;
  const parsed = settlements.map((value: unknown): Settlement => {
    const { receipt, outcome, replyBytes, replyIndex } = (value ?? {}) as Readonly<Record<string, unknown>>;
    if (typeof receipt !== "string") throw malformed("a receipt is no text");
    if (!isCount(replyBytes) || !isCount(replyIndex)) throw malformed("a reply's length or number is no count");
    if (replyBytes === 0) return { receipt, outcome: parseOutcome(outcome), reply: null };
    const response = frame.body.subarray(offset, offset + replyBytes);
    offset += replyBytes;
    return { receipt, outcome: parseOutcome(outcome), reply: { index: replyIndex, response } };
  });
  if (offset !== frame.body.length) throw malformed("the replies' lengths do not add up");
  return parsed;
}

function parseOutcome(value: unknown): Settlement["outcome"] {
  const { kind, delayMs, error, reason } = (value ?? {}) as Readonly<Record<string, unknown>>;
  if (kind === "ack") return { kind };
  if (kind === "nack") return { kind, delayMs: isCount(delayMs) ? delayMs : null, error: parseErrorReport(error) };
  if (kind === "reject") return { kind, reason: String(reason).slice(0, longestReasonCharacters) };
  throw malformed("an outcome is none of ack, nack, reject");
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0;
}

function malformed(why: string): GatewayError {
  return new GatewayError("invalid_request", `Cannot read a consumer's settlements: ${why}`);
}
