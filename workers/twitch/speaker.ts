/**
 * Says things in channels, one after the other in each. Chat has no receipts: a message was taken when Twitch answers it with
 * the bot's own USERSTATE, and refused when it answers with a NOTICE. The first bears the message's nonce and is certain; of a
 * NOTICE nothing says which message it is about, so it counts when no USERSTATE comes right after it.
 */
import { randomUUID } from "node:crypto";
import type { AdapterLog } from "../../src/contract/adapter.ts";
import { GatewayError } from "../../src/contract/errors.ts";
import { after, sleep, steadyNow } from "../../src/support/time.ts";
import { channelOf, escapeTag, type ChatLine } from "./chat-line.ts";
import { refusalOf } from "./refusals.ts";
import { SendBudget } from "./send-budget.ts";

/** What a speaker works with. */
export type SpeakerParts = {
  readonly channels: {
    has(name: string): boolean;
    isJoined(name: string): boolean;
    isModerator(name: string): boolean;
    readonly names: readonly string[];
  };
  /** Sends one line. @throws {GatewayError} `platform_unavailable` when there is no connection: it was not sent. */
  readonly send: (line: string) => void;
  /** Whether the server answers messages: one that grants no capabilities does not. */
  readonly isAnswering: () => boolean;
  readonly log: AdapterLog;
};

/** One message. */
export type Saying = {
  readonly channel: string;
  readonly text: string;
  /** The id of the message it is a reply to; `null`: none. */
  readonly parentId: string | null;
  /** The wall clock's time by which it is said or refused, milliseconds. */
  readonly deadlineAtMs: number;
  readonly signal: AbortSignal;
};

/** What Twitch said against a message of the channel. */
type Refusal = { readonly notice: string; readonly error: GatewayError };

type Pending = PromiseWithResolvers<string> & {
  readonly nonce: string;
  /** Said while this one waited; `null`: nothing was. */
  refusal: Refusal | null;
  /** Ends the wait with that, unless the message turns out to be taken. */
  readonly refuseSoon: (error: GatewayError) => void;
};

const answerTimeoutMs = 6_000;
/** For the answer to what is said already when its sender gives up or the adapter stops. */
const lateAnswerMs = 500;
/** For the USERSTATE that shows that a NOTICE was about another message. */
const takenAfterAllMs = 500;
const mostWaiting = 500;
const idForm = /^[\w-]{1,64}$/u;

/** One adapter's voice, over all of its connections. */
export class Speaker {
  readonly #parts: SpeakerParts;
  readonly #budget = new SendBudget();
  /** By channel: the end of what is being said there. */
  readonly #turns = new Map<string, Promise<unknown>>();
  readonly #pending = new Map<string, Pending>();
  #waiting = 0;

  constructor(parts: SpeakerParts) {
    this.#parts = parts;
  }

  /**
   * Resolves with the message's id once Twitch has taken it; `""` where it does not say.
   * @throws {GatewayError} `rate_limited` with its wait, or what Twitch refuses it as; `not_found`; `platform_unavailable` when it
   * was not sent; `timeout` when it may have been.
   */
  say(saying: Saying): Promise<string> {
    const { channel } = saying;
    const { channels } = this.#parts;
    if (!channels.has(channel)) {
      const known = channels.names.slice(0, 20).join(", ") || "none";
      const message = `Cannot say it in ${JSON.stringify(channel.slice(0, 100))}: found no such channel, expected one of ${known}`;
      return Promise.reject(new GatewayError("not_found", message));
    }
    if (this.#waiting >= mostWaiting)
      return Promise.reject(limited(`Cannot say it yet: ${mostWaiting} messages wait`, answerTimeoutMs));
    this.#waiting += 1;
    const before = this.#turns.get(channel) ?? Promise.resolve();
    const turn = before
      .then(() => this.#sayNow(saying))
      .finally(() => {
        this.#waiting -= 1;
      });
    this.#turns.set(
      channel,
      // Whoever asked for it is told.
      turn.catch(() => {}),
    );
    return turn;
  }

  /** A USERSTATE or NOTICE: Twitch says what became of a message. */
  onLine(line: ChatLine): void {
    const channel = channelOf(line);
    if (channel === null) return;
    const pending = this.#pending.get(channel);
    if (line.command === "USERSTATE") {
      // Another client of the same account has another nonce. The answer to a JOIN, which may come late, has neither nonce nor id.
      const [nonce, id] = [line.tags.get("client-nonce"), line.tags.get("id")];
      if (pending !== undefined && (nonce === undefined ? id !== undefined : nonce === pending.nonce))
        this.#onTaken(channel, pending, id ?? "");
    } else this.#onNotice(channel, pending, line);
  }

  /** Resolves when nothing that was said waits for its answer. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.#pending.values()].map(({ promise }) => promise));
  }

  /** The connection is gone: of what was on its way nobody knows. */
  lost(): void {
    for (const { reject, refusal } of this.#pending.values()) {
      // Whether that was about this one will never be known: said again, it might be there twice.
      const said = refusal === null ? "" : ` right after the notice ${refusal.notice}`;
      reject(unknown(`the connection was lost${said}`));
    }
  }

  #onTaken(channel: string, pending: Pending, id: string): void {
    pending.resolve(id);
    // So that was about another message, after all.
    if (pending.refusal !== null) this.#noteRefusal(channel, pending.refusal.notice);
  }

  #onNotice(channel: string, pending: Pending | undefined, { tags, params }: ChatLine): void {
    const notice = tags.get("msg-id") ?? "";
    const error = refusalOf(notice, params[1] ?? "");
    if (error === null) return;
    if (notice === "msg_ratelimit") this.#budget.exhaust(steadyNow());
    if (pending === undefined || pending.refusal !== null) this.#noteRefusal(channel, notice);
    else {
      pending.refusal = { notice, error };
      pending.refuseSoon(error);
    }
  }

  #noteRefusal(channel: string, notice: string): void {
    this.#parts.log.warn("twitch-message-refused", { channel, notice });
  }

  async #sayNow(saying: Saying): Promise<string> {
    const { channel, signal } = saying;
    signal.throwIfAborted();
    this.#assertJoined(channel);
    await this.#waitForLeave(saying);
    this.#assertJoined(channel);
    using timers = new DisposableStack();
    const pending: Pending = {
      ...Promise.withResolvers<string>(),
      nonce: randomUUID().replaceAll("-", ""),
      refusal: null,
      refuseSoon: (error) => void timers.use(after(takenAfterAllMs, () => pending.reject(error))),
    };
    this.#parts.send(lineOf(saying, pending.nonce));
    // Then that it was sent is all there is to know.
    if (!this.#parts.isAnswering()) return "";
    this.#pending.set(channel, pending);
    const giveUpIn = (delayMs: number, why: string): void => {
      timers.use(after(delayMs, () => pending.reject(pending.refusal?.error ?? unknown(why))));
    };
    const onAbort = (): void => giveUpIn(lateAnswerMs, "the adapter is stopping");
    signal.addEventListener("abort", onAbort, { once: true });
    giveUpIn(answerTimeoutMs, `no answer within ${answerTimeoutMs} ms`);
    try {
      return await pending.promise;
    } finally {
      signal.removeEventListener("abort", onAbort);
      this.#pending.delete(channel);
    }
  }

  #assertJoined(channel: string): void {
    if (!this.#parts.channels.isJoined(channel))
      throw new GatewayError("platform_unavailable", `Cannot say it in "${channel}": the bot is not in there just now`);
  }

  /** Waits as long as the send may take; beyond that, whoever sends waits. */
  async #waitForLeave({ channel, deadlineAtMs, signal }: Saying): Promise<void> {
    for (;;) {
      const nowMs = steadyNow();
      if (nowMs >= deadlineAtMs)
        throw new GatewayError("platform_unavailable", `Cannot say it in "${channel}": too much is being said there`);
      const waitMs = this.#budget.take(nowMs, this.#parts.channels.isModerator(channel));
      if (waitMs === 0) return;
      if (nowMs + waitMs >= deadlineAtMs)
        throw limited(`Cannot say it in "${channel}" yet: Twitch's limit of messages is reached`, waitMs);
      await sleep(waitMs, signal);
    }
  }
}

function lineOf({ channel, text, parentId }: Saying, nonce: string): string {
  const reply = parentId !== null && idForm.test(parentId) ? `;reply-parent-msg-id=${escapeTag(parentId)}` : "";
  return `@client-nonce=${nonce}${reply} PRIVMSG #${channel} :${text}`;
}

function limited(message: string, delayMs: number): GatewayError {
  return new GatewayError("rate_limited", message, { retry: { kind: "after", delayMs } });
}

/** Of a `timeout` the outbox knows that it may have arrived: it is not said again. */
function unknown(what: string): GatewayError {
  return new GatewayError("timeout", `Cannot tell whether Twitch took the message: ${what}`);
}
