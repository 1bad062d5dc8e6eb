/** What handlers may ask of the gateway, answered by the outbox. */
import type { ConsumerServices } from "../consume/consumer-services.ts";
import type { AttachmentFiles } from "../outbound/attachment-files.ts";
import { ConversationCalls } from "../outbound/conversation-calls.ts";
import type { OutboundAdapters } from "../outbound/outbound-adapters.ts";
import type { Outbox } from "../outbound/outbox.ts";
import { parseTarget } from "../outbound/targets.ts";
import type { Logger } from "../support/logger.ts";

/** `keys`: the runtime keys there are now. */
export function createConsumerServices(parts: {
  readonly outbox: Outbox;
  readonly attachments: Pick<AttachmentFiles, "fetch">;
  readonly adapters: OutboundAdapters;
  readonly logger: Logger;
  readonly keys: () => ReadonlySet<string>;
}): ConsumerServices {
  const { outbox, keys } = parts;
  const calls = new ConversationCalls(parts);
  return {
    replyNow: (request) => outbox.replyNow(request),
    streamChunk: (request) => outbox.streamChunk(request),
    setStatus: (request) => calls.setStatus(request),
    history: (request) => calls.history(request),
    attachment: (request) => parts.attachments.fetch(request),
    send: ({ target, response, idempotencyKey }) =>
      outbox.send({ ...parseTarget(target, keys()), response, idempotencyKey }),
  };
}
