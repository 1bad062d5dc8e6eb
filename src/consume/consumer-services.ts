/** What consumers may ask of the rest of the gateway; the coordinator hands it over. */
import type { SettledReply } from "../contract/delivery.ts";
import type { SendState } from "../contract/journal.ts";
import type { HistoryMessage, ReplyTo } from "../contract/message.ts";
import type { Response, StatusUpdate } from "../contract/response.ts";

type Place = { readonly key: string; readonly conversation: string };

/** Every method may reject with a GatewayError, which is then the handler's to see. */
export interface ConsumerServices {
  /** Resolves when the reply is in the outbox. `mayRepeat`: its message was handed out before. */
  replyNow(
    request: Place & { readonly messageId: string; readonly reply: SettledReply; readonly mayRepeat: boolean },
  ): Promise<unknown>;
  /** The whole text so far; never stored. */
  streamChunk(request: Place & { readonly response: Extract<Response, { readonly kind: "stream_chunk" }> }): void;
  setStatus(request: Place & { readonly status: StatusUpdate; readonly replyTo: ReplyTo | null }): Promise<void>;
  history(
    request: Place & { readonly limit: number; readonly before: string | null; readonly replyTo: ReplyTo | null },
  ): Promise<readonly HistoryMessage[]>;
  /** `target` is `KEY/ADDRESS`. */
  send(request: {
    readonly target: string;
    readonly response: Response;
    readonly idempotencyKey: string;
  }): Promise<{ readonly id: string; readonly state: SendState }>;
  /** Has the adapter write an attachment down. The file is the caller's to remove. */
  attachment(request: {
    readonly key: string;
    readonly ref: string;
    readonly maxBytes: number | null;
  }): Promise<{ readonly path: string }>;
}
