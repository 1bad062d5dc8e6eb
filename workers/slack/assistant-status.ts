/** What the bot is busy with, shown in the threads of Slack's assistant view: the only place that Slack has for it. */
import type { ReplyTo } from "../../src/contract/message.ts";
import type { StatusUpdate } from "../../src/contract/response.ts";
import { TypingIndicators } from "../../src/support/typing-indicator.ts";
import { parseAddress, replyIn, threadOf } from "./address.ts";
import type { SlackApi } from "./api.ts";
import type { Channels } from "./channels.ts";

/** What is shown for each status; `""` takes it off. */
const texts: Readonly<Record<StatusUpdate["kind"], string>> = {
  thinking: "is thinking…",
  tool_started: "is working…",
  tool_completed: "is thinking…",
  stop_typing: "",
};
/** Slack takes a status off after two minutes. */
const periodMs = 90_000;
const longestMs = 600_000;
/** Threads that are never answered would be remembered for ever. */
const mostShown = 1_000;

/** The statuses of one adapter. Best effort: where Slack shows none, nothing is shown. */
export class AssistantStatus implements Disposable {
  readonly #api: SlackApi;
  readonly #channels: Channels;
  readonly #indicators: TypingIndicators;
  /** The text per thread that is being shown, the oldest first. */
  readonly #shown = new Map<string, string>();

  constructor(api: SlackApi, channels: Channels, onError: (reason: unknown) => void) {
    this.#api = api;
    this.#channels = channels;
    this.#indicators = new TypingIndicators({
      periodMs,
      longestMs,
      onError,
      show: (thread) => this.#call(thread, this.#shown.get(thread) ?? ""),
    });
  }

  /** Shows `status` in the thread that is meant; without one there is nowhere to show it. */
  async set(conversation: string, replyTo: ReplyTo | null, status: StatusUpdate): Promise<void> {
    const address = parseAddress(conversation);
    const channel = await this.#channels.resolve(address);
    const threadTs = threadOf(address, replyIn(channel, replyTo));
    if (threadTs === "") return;
    const thread = `${channel}/${threadTs}`;
    const text = texts[status.kind];
    const isShown = this.#shown.has(thread);
    if (text === "") {
      this.#indicators.stop(thread);
      if (this.#shown.delete(thread)) await this.#call(thread, "");
      return;
    }
    const isSame = this.#shown.get(thread) === text;
    const [oldest] = this.#shown.keys();
    if (!isShown && this.#shown.size >= mostShown && oldest !== undefined) {
      this.#shown.delete(oldest);
      this.#indicators.stop(oldest);
    }
    this.#shown.set(thread, text);
    if (isShown && !isSame) await this.#call(thread, text);
    this.#indicators.start(thread);
  }

  /** The bot has answered in the thread, which takes its status off. */
  answered(channel: string, threadTs: string): void {
    const thread = `${channel}/${threadTs}`;
    if (this.#shown.delete(thread)) this.#indicators.stop(thread);
  }

  [Symbol.dispose](): void {
    this.#indicators[Symbol.dispose]();
    this.#shown.clear();
  }

  async #call(thread: string, status: string): Promise<void> {
    const slash = thread.indexOf("/");
    const request = { channel_id: thread.slice(0, slash), thread_ts: thread.slice(slash + 1), status };
    await this.#api.call("assistant.threads.setStatus", request);
  }
}
