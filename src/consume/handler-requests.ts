/** Answers what a handler asks through its context. Its arguments come from the user's thread: nothing in them is trusted. */
import type { ConsumerLine, Delivery } from "../contract/delivery.ts";
import { GatewayError } from "../contract/errors.ts";
import type { RequestMeta } from "../contract/protocol.ts";
import { parseReplyTo } from "../contract/reply-to.ts";
import { parseResponse, statusSchema } from "../contract/response.ts";
import type { ConsumerServices } from "./consumer-services.ts";

const longestHistory = 200;
const longestTarget = 1024;
const longestRef = 1024;

type Args = Readonly<Record<string, unknown>>;

/**
 * The answer to one request about a delivery that the asking thread holds.
 * @throws {GatewayError} `conflict` when it does not hold it any more, `invalid_request`, or what the service rejects with.
 */
export async function answerRequest(
  request: RequestMeta,
  find: (receipt: string) => Delivery | undefined,
  parts: { readonly line: ConsumerLine; readonly services: ConsumerServices },
): Promise<unknown> {
  const args = (typeof request.args === "object" && request.args !== null ? request.args : {}) as Args;
  const receipt = String(args["receipt"]);
  const delivery = find(receipt);
  if (delivery === undefined)
    throw new GatewayError("conflict", `Cannot do ${request.method}: the message is settled, or was taken back`);
  const { key, conversation } = delivery;
  const { services, line } = parts;
  switch (request.method) {
    case "consumer.reply":
      await reply(delivery, args, services);
      return null;
    case "consumer.setStatus": {
      const status = statusSchema.safeParse(args["status"]);
      if (!status.success) throw invalid("status", "one of thinking, stop_typing, tool_started, tool_completed");
      await services.setStatus({ key, conversation, status: status.data, replyTo: parseReplyTo(args["replyTo"]) });
      return null;
    }
    case "consumer.history": {
      const { limit, before = null } = args;
      if (typeof limit !== "number" || !(limit >= 1)) throw invalid("limit", `1 to ${longestHistory}`);
      if (before !== null && typeof before !== "string") throw invalid("before", "a message's platform id");
      const replyTo = parseReplyTo(args["replyTo"]);
      return services.history({
        key,
        conversation,
        limit: Math.min(Math.floor(limit), longestHistory),
        before,
        replyTo,
      });
    }
    case "consumer.send": {
      const { target, index } = args;
      if (typeof target !== "string" || target.length > longestTarget) throw invalid("target", "KEY/ADDRESS");
      const idempotencyKey = `${delivery.id}/send/${indexOf(index)}`;
      return services.send({ target, response: parseResponse(parseJson(args["response"])), idempotencyKey });
    }
    case "consumer.extend": {
      const { ms } = args;
      if (typeof ms !== "number" || !(ms >= 0)) throw invalid("ms", "a number of milliseconds");
      return line.extend(receipt, ms);
    }
    case "attachment": {
      const { ref, maxBytes = null } = args;
      if (typeof ref !== "string" || ref.length > longestRef) throw invalid("ref", "an attachment's ref");
      if (maxBytes !== null && !(typeof maxBytes === "number" && maxBytes >= 0))
        throw invalid("maxBytes", "a number of bytes");
      return services.attachment({ key, ref, maxBytes });
    }
    case "resume.load":
    case "resume.store":
    case "budget.acquire":
    case "token.lock":
    case "token.store":
    case "token.unlock":
    case "mailbox.read":
    case "mailbox.ack":
      break;
  }
  throw new GatewayError("invalid_request", `Cannot answer ${request.method}: a consumer may not ask for it`);
}

async function reply(delivery: Delivery, args: Args, services: ConsumerServices): Promise<void> {
  const { key, conversation } = delivery;
  if (args["volatile"] === true) {
    const response = parseResponse(parseJson(args["response"]));
    if (response.kind !== "stream_chunk") throw invalid("response", "a stream_chunk");
    services.streamChunk({ key, conversation, response });
    return;
  }
  // Checked where it was made, in the handler's thread; as bytes it goes on unopened.
  const { response } = args;
  if (typeof response !== "string") throw invalid("response", "a response as JSON");
  await services.replyNow({
    key,
    conversation,
    messageId: delivery.id,
    reply: { index: indexOf(args["index"]), response: Buffer.from(response) },
    mayRepeat: delivery.redelivered || delivery.attempt > 1,
  });
}

function indexOf(value: unknown): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= 0) return value;
  throw invalid("index", "an integer from 0");
}

function parseJson(value: unknown): unknown {
  if (typeof value !== "string") throw invalid("response", "a response as JSON");
  try {
    return JSON.parse(value);
  } catch (cause) {
    throw new GatewayError("invalid_request", "Cannot read the response: it is no JSON", { cause });
  }
}

function invalid(field: string, wanted: string): GatewayError {
  return new GatewayError("invalid_request", `Cannot answer the handler: ${field} is not ${wanted}`);
}
