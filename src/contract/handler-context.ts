/** What a consumer's handler may ask of the gateway. */
import type { AdapterLog } from "./adapter.ts";
import type { HistoryMessage } from "./message.ts";
import type { ResponseInput, StatusUpdate } from "./response.ts";

/** What a handler gets beside its message. Its functions may be taken out of it. */
export type HandlerContext = {
  /** Says something before the handler is done. Resolves when it is in the outbox; said once however often the message comes. */
  readonly reply: (response: ResponseInput) => Promise<void>;
  /** Shows what the handler is busy with, such as `{ kind: "thinking" }`. */
  readonly setStatus: (status: StatusUpdate | StatusUpdate["kind"]) => Promise<void>;
  /** Past messages, oldest first, strictly before this one unless `before` names another. */
  readonly history: (options?: {
    readonly limit?: number;
    readonly before?: string | null;
  }) => Promise<readonly HistoryMessage[]>;
  /** Says something elsewhere: `target` is `KEY/ADDRESS`. */
  readonly send: (target: string, response: ResponseInput) => Promise<{ readonly id: string; readonly state: string }>;
  /** Moves this delivery's deadline to `ms` from now; `false`: it is over already. */
  readonly extend: (ms: number) => Promise<boolean>;
  /** Aborted when the handler is over its time. */
  readonly signal: AbortSignal;
  readonly log: AdapterLog;
};
