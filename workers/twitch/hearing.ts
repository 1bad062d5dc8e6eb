/** The half that hears: chat's lines on their way to consumers, and a word about those that go no further. */
import { randomUUID } from "node:crypto";
import type { AdapterContext, Policy } from "../../src/contract/adapter.ts";
import { BoundedMap } from "../../src/support/bounded-map.ts";
import { MinuteLog } from "../../src/support/minute-log.ts";
import { admitted } from "./admitted.ts";
import type { ChatLine } from "./chat-line.ts";
import { Inbox } from "./inbox.ts";
import type { BotAccount } from "./mentions.ts";
import { translateDeletion, translateMessage, type Heard, type KnownSender } from "./translate.ts";

/** What hearing works with. */
export type HearingParts = {
  readonly context: Pick<AdapterContext, "emit" | "missed" | "log" | "signal">;
  readonly policy: () => Policy;
  readonly bot: () => BotAccount;
};

/** For whom it was that wrote a message which is deleted: Twitch gives the name alone. */
const mostSenders = 5_000;

/** One generation's ears. */
export class Hearing {
  readonly #parts: HearingParts;
  readonly #inbox: Inbox;
  readonly #malformed: MinuteLog;
  readonly #ignored: MinuteLog;
  readonly #senders = new BoundedMap<KnownSender>(mostSenders);

  constructor(parts: HearingParts) {
    const { context } = parts;
    const { log } = context;
    this.#parts = parts;
    this.#malformed = new MinuteLog(({ kind, count }) => log.warn("twitch-line-malformed", { kind, count }));
    this.#ignored = new MinuteLog(({ kind, count }) => log.debug("twitch-line-ignored", { kind, count }));
    const lost = new MinuteLog(({ kind, count }) => log.warn("twitch-message-lost", { reason: kind, count }));
    this.#inbox = new Inbox({
      emit: (messages) => context.emit(messages),
      onLost(count, reason) {
        context.missed({ messages: count });
        lost.note(reason);
      },
      signal: context.signal,
    });
  }

  /** Takes a line that is neither about the connection nor about the bot itself. Never throws. */
  onLine(line: ChatLine): void {
    switch (line.command) {
      case "PRIVMSG":
        this.#onMessage(line, "PRIVMSG");
        break;
      case "USERNOTICE":
        this.#onNotice(line);
        break;
      case "CLEARMSG":
        this.#onDeletion(line);
        break;
      default:
        // A ban or a cleared chat among them: it takes away messages that it does not name.
        this.#ignored.note(line.command);
    }
  }

  /** Something that makes no sense. */
  onMalformed(kind: string): void {
    this.#malformed.note(kind);
  }

  /** Nothing more is heard: what waits is handed over, for a moment. */
  async end(): Promise<void> {
    await this.#inbox.end();
  }

  #onMessage(line: ChatLine, kind: string): void {
    const heard = translateMessage(line, this.#parts.bot(), randomUUID);
    if (heard === null) return this.onMalformed(kind);
    const { id, sender } = heard.message;
    this.#senders.set(id, { id: sender.id, name: sender.name ?? sender.id, isBot: sender.isBot ?? false });
    this.#hand(heard);
  }

  /** Somebody subscribed, raided, announced: a message where they wrote something to it. */
  #onNotice(line: ChatLine): void {
    if ((line.params[1] ?? "") === "") this.#ignored.note(`USERNOTICE ${line.tags.get("msg-id") ?? ""}`);
    else this.#onMessage(line, "USERNOTICE");
  }

  #onDeletion(line: ChatLine): void {
    const known = this.#senders.get(line.tags.get("target-msg-id") ?? "");
    const heard = translateDeletion(line, this.#parts.bot(), known);
    if (heard === null) this.onMalformed("CLEARMSG");
    else this.#hand(heard);
  }

  #hand(heard: Heard): void {
    const message = admitted(heard, this.#parts.policy());
    if (message !== null) this.#inbox.push(message);
  }
}
