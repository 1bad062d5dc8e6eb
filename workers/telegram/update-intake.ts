/** From Telegram's updates to the journal: translated, admitted, albums put together, on disk. Polling and webhook share it. */
import type { Update } from "grammy/types";
import type { AdapterContext, Policy } from "../../src/contract/adapter.ts";
import { GatewayError } from "../../src/contract/errors.ts";
import type { EmittedMessage } from "../../src/contract/message.ts";
import { admits } from "../../src/support/admission.ts";
import { emitWithState } from "../../src/support/emit-with-state.ts";
import { MinuteLog } from "../../src/support/minute-log.ts";
import { after, steadyNow, withDeadline } from "../../src/support/time.ts";
import { Albums, type Departure } from "./albums.ts";
import type { TelegramApi } from "./api.ts";
import type { ChatMigrations } from "./chat-migrations.ts";
import { commandNames } from "./command-menu.ts";
import type { BotAccount } from "./mentions.ts";
import { type ResumeState, usableOffset } from "./resume-state.ts";
import type { TopicMemory } from "./topic-memory.ts";
import type { Heard } from "./translate-message.ts";
import { translateUpdate } from "./translate-update.ts";

/** How long an album waits for its next part. */
const albumWaitMs = 700;
const answerDeadlineMs = 10_000;
const stopDeadlineMs = 500;
const ignoredKinds = { mostKinds: 50, longestKind: 64 };

/** What an intake works with. */
export type UpdateIntakeParts = {
  readonly context: Pick<AdapterContext, "emit" | "resume" | "log" | "missed">;
  readonly api: TelegramApi;
  readonly bot: BotAccount;
  readonly migrations: ChatMigrations;
  readonly topics: TopicMemory;
  readonly policy: Policy;
  /** Of an earlier life, or a fresh one. */
  readonly state: ResumeState;
};

/** One bot's updates on their way in. */
export class UpdateIntake {
  readonly #parts: UpdateIntakeParts;
  readonly #albums: Albums;
  readonly #ignored: MinuteLog;
  #policy: Policy;
  #commands: ReadonlyMap<string, string>;
  #state: ResumeState;
  #timer: Disposable | null = null;
  #isStopped = false;

  constructor(parts: UpdateIntakeParts) {
    this.#parts = parts;
    this.#policy = parts.policy;
    this.#commands = commandNames(parts.policy.commands);
    this.#state = parts.state;
    this.#albums = new Albums(parts.state.held, steadyNow());
    const { log } = parts.context;
    this.#ignored = new MinuteLog(({ kind, count }) => {
      // Service messages and the like are no fault of anybody.
      if (kind === "malformed") log.warn("telegram-update-ignored", { kind, count });
      else log.debug("telegram-update-ignored", { kind, count });
    }, ignoredKinds);
    this.#watchAlbums();
  }

  /** From the next update on. */
  set policy(policy: Policy) {
    this.#policy = policy;
    this.#commands = commandNames(policy.commands);
  }

  /** The first update that is not on disk; `null`: whatever Telegram still has. */
  get offset(): number | null {
    return usableOffset(this.#state.offset, this.#state.atMs, Date.now());
  }

  /** The menu's state, to be stored with whatever comes next. */
  set hasMenu(hasMenu: boolean) {
    this.#state = { ...this.#state, hasMenu };
  }

  /**
   * Resolves when everything that `updates` say is on disk, and with it that `offset` is the next one (`null`: there are
   * no offsets). Rejected, nothing has changed: the same updates may be given again.
   * @throws {GatewayError} `queue_full`, `journal_unavailable`.
   */
  async accept(updates: readonly Update[], offset: number | null): Promise<void> {
    const heard: Heard[] = [];
    const queryIds: string[] = [];
    for (const update of updates) this.#hear(update, heard, queryIds);
    const hadAlbums = !this.#albums.isEmpty;
    const departure = this.#albums.take(heard, steadyNow());
    const state = offset === null ? this.#state : { ...this.#state, offset, atMs: Date.now() };
    const isStored = offset !== null || hadAlbums || !this.#albums.isEmpty;
    await this.#depart(departure, isStored ? state : null);
    for (const queryId of queryIds) void this.#answer(queryId);
    this.#watchAlbums();
  }

  /** Stores what it is at, such as another way in than the last life's. */
  async store(): Promise<void> {
    await this.#parts.context.resume.store(this.#stored());
  }

  #stored(): ResumeState {
    return { ...this.#state, held: this.#albums.held() };
  }

  /** Ends the wait for parts of albums: what is here is handed over, or found by the next life. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.[Symbol.dispose]();
    await withDeadline(this.#departOld(Number.POSITIVE_INFINITY), stopDeadlineMs, "Handing albums over").catch(() => {
      // They are stored as what waits.
    });
  }

  /** Never rejects: an album that cannot go waits on, and is stored. */
  async #departOld(beforeMs: number): Promise<void> {
    try {
      await this.#depart(this.#albums.takeOlder(beforeMs), null);
    } catch (reason) {
      this.#parts.context.log.warn("telegram-album-waits", { error: GatewayError.from(reason).message });
    }
  }

  async #depart({ messages, albums }: Departure, state: ResumeState | null): Promise<void> {
    try {
      // Without an offset what leaves is kept until it has arrived: its parts are confirmed already.
      const held = this.#albums.held(state?.mode === "polling" ? albums : []);
      await this.#emit(messages, state === null ? null : { ...state, held });
    } catch (reason) {
      this.#albums.stayed(albums);
      throw reason;
    }
    if (state !== null) this.#state = { ...state, hasMenu: this.#state.hasMenu };
    if (albums.length === 0) return;
    this.#albums.arrived(albums);
    // Only now: a death in between brings the album twice under one id, and never not at all.
    await this.store();
  }

  #emit(messages: readonly EmittedMessage[], state: ResumeState | null): Promise<void> {
    const { context } = this.#parts;
    return emitWithState(context, {
      messages,
      state,
      stateBefore: () => this.#stored(),
      onRefused: ({ conversation }, { message: error }) => {
        context.log.error("telegram-message-dropped", { conversation: conversation.slice(0, 100), error });
        context.missed({ messages: 1 });
      },
    });
  }

  #hear(update: Update, heard: Heard[], queryIds: string[]): void {
    const { bot, migrations, topics, context } = this.#parts;
    const translated = translateUpdate(update, { bot, commands: this.#commands, topics });
    switch (translated.kind) {
      case "heard": {
        const admitted = translated.items.filter(({ place }) => admits(this.#policy, place));
        heard.push(...admitted);
        if (translated.queryId !== null && admitted.length > 0) queryIds.push(translated.queryId);
        return;
      }
      case "migrated":
        migrations.add(translated.from, translated.to);
        return;
      case "member":
        context.log.info("telegram-membership-changed", {
          conversation: translated.conversation,
          status: translated.status,
        });
        return;
      case "ignored":
        this.#ignored.note(translated.what);
    }
  }

  /** The button stops turning; that it was pressed is on disk already. */
  async #answer(queryId: string): Promise<void> {
    const { api, context } = this.#parts;
    try {
      await api.call("answerCallbackQuery", { callback_query_id: queryId }, { deadlineMs: answerDeadlineMs });
    } catch (reason) {
      context.log.debug("telegram-callback-not-answered", { error: GatewayError.from(reason).message });
    }
  }

  #watchAlbums(): void {
    if (this.#albums.isEmpty || this.#isStopped) return;
    this.#timer?.[Symbol.dispose]();
    this.#timer = after(albumWaitMs, () => {
      void this.#departOld(steadyNow() - albumWaitMs).then(() => this.#watchAlbums());
    });
  }
}
