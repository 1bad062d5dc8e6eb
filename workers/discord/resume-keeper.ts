/**
 * Keeps the resume state current. The library resumes after what it has received, a next generation after what was
 * accepted: events that were on their way when this one died are then sent again.
 */
import type { SessionInfo } from "discord.js";
import type { AdapterContext } from "../../src/contract/adapter.ts";
import { after } from "../../src/support/time.ts";
import { BoundedMap } from "../../src/support/bounded-map.ts";
import { mostChannels, newerOf, parseSession, type ResumeState, type Session } from "./resume-state.ts";

/** Everything up to here has been accepted, or is counted as lost. */
export type Mark = { readonly session: Session | null; readonly atMs: number };

/** Between two writes, milliseconds. What is accepted meanwhile is only sent again, and known by its id. */
const storePeriodMs = 500;

/** One generation's resume state. Disposing ends its timer; {@link ResumeKeeper.flush} writes what it waited with. */
export class ResumeKeeper implements Disposable {
  readonly #store: AdapterContext["resume"]["store"];
  readonly #onError: (reason: unknown) => void;
  readonly #userId: string;
  readonly #lastMessages = new BoundedMap<string>(mostChannels);
  readonly #directUsers = new BoundedMap<string>(mostChannels);
  #applicationId: string;
  #commandScopes: readonly string[];
  #mark: Mark;
  #received: SessionInfo | null;
  #timer: Disposable | null = null;
  #isDirty = false;
  #isDisposed = false;

  constructor(options: {
    readonly userId: string;
    /** An earlier generation's. */
    readonly state: ResumeState | null;
    readonly store: AdapterContext["resume"]["store"];
    readonly onError: (reason: unknown) => void;
  }) {
    const { userId, state } = options;
    this.#userId = userId;
    this.#store = options.store;
    this.#onError = options.onError;
    this.#applicationId = state?.applicationId ?? userId;
    this.#commandScopes = state?.commandScopes ?? [];
    for (const [channel, message] of Object.entries(state?.lastMessages ?? {}))
      this.#lastMessages.set(channel, message);
    for (const [channel, user] of Object.entries(state?.directUsers ?? {})) this.#directUsers.set(channel, user);
    this.#mark = { session: state?.session ?? null, atMs: state?.aliveAtMs ?? Date.now() };
    this.#received = toSessionInfo(this.#mark.session);
  }

  get userId(): string {
    return this.#userId;
  }

  get applicationId(): string {
    return this.#applicationId;
  }

  set applicationId(id: string) {
    this.#applicationId = id;
    this.#changed();
  }

  /** Guilds whose commands were registered by us, `""` for everywhere. */
  get commandScopes(): readonly string[] {
    return this.#commandScopes;
  }

  set commandScopes(scopes: readonly string[]) {
    this.#commandScopes = scopes;
    this.#changed();
  }

  /** Until then nothing is missing, milliseconds since 1970. */
  get aliveAtMs(): number {
    return this.#mark.atMs;
  }

  /** The session as the library goes on with it. */
  get received(): SessionInfo | null {
    return this.#received;
  }

  set received(session: SessionInfo | null) {
    this.#received = session;
    if (session !== null) return;
    this.#mark = { ...this.#mark, session: null };
    this.#changed();
  }

  /** What an event that is received now stands for once it is accepted. */
  markNow(sequence: number | null): Mark {
    const received = this.#received;
    if (received === null) return { session: null, atMs: Date.now() };
    const session = parseSession({
      id: received.sessionId,
      resumeUrl: received.resumeURL,
      sequence: sequence ?? received.sequence,
    });
    return { session, atMs: Date.now() };
  }

  /** Everything received up to `mark` was accepted. */
  accept(mark: Mark): void {
    // What is left of a session that has ended says nothing about the one that follows.
    const isCurrent = mark.session === null || mark.session.id === this.#received?.sessionId;
    const isNewSession = isCurrent && mark.session !== null && mark.session.id !== this.#mark.session?.id;
    this.#mark = isCurrent ? mark : { session: null, atMs: mark.atMs };
    this.#changed();
    // A generation that dies at once must still find its session.
    if (isNewSession) void this.flush();
  }

  /** A message of a channel was accepted. */
  sawMessage(channelId: string, messageId: string): void {
    this.#lastMessages.set(channelId, newerOf(this.#lastMessages.get(channelId), messageId));
    this.#changed();
  }

  /** A channel is a direct one. Written at once: Discord lists no direct channels, so one that is forgotten is never read again. */
  sawDirect(channelId: string, userId: string): void {
    const isNew = this.#directUsers.get(channelId) !== userId;
    this.#directUsers.set(channelId, userId);
    if (!isNew) return;
    this.#changed();
    void this.flush();
  }

  lastMessage(channelId: string): string | null {
    return this.#lastMessages.get(channelId) ?? null;
  }

  /** Channel and user of each direct conversation that is remembered. */
  get directChannels(): readonly (readonly [channelId: string, userId: string])[] {
    return [...this.#directUsers.entries()];
  }

  /** Channels with an accepted message. */
  get messageChannels(): readonly string[] {
    return [...this.#lastMessages.entries()].map(([channelId]) => channelId);
  }

  /** Writes what is not written yet; resolves when it is, whether that worked or not. */
  async flush(): Promise<void> {
    this.#timer?.[Symbol.dispose]();
    this.#timer = null;
    if (!this.#isDirty) return;
    this.#isDirty = false;
    try {
      await this.#store(this.#state());
    } catch (reason) {
      this.#onError(reason);
      this.#isDirty = true;
    }
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    this.#timer?.[Symbol.dispose]();
    this.#timer = null;
  }

  #changed(): void {
    this.#isDirty = true;
    if (this.#timer !== null || this.#isDisposed) return;
    this.#timer = after(storePeriodMs, () => void this.flush());
  }

  #state(): ResumeState {
    return {
      userId: this.#userId,
      applicationId: this.#applicationId,
      session: this.#mark.session,
      aliveAtMs: this.#mark.atMs,
      lastMessages: Object.fromEntries(this.#lastMessages.entries()),
      directUsers: Object.fromEntries(this.#directUsers.entries()),
      commandScopes: this.#commandScopes,
    };
  }
}

function toSessionInfo(session: Session | null): SessionInfo | null {
  if (session === null) return null;
  const { id, resumeUrl, sequence } = session;
  return { sessionId: id, resumeURL: resumeUrl, sequence, shardId: 0, shardCount: 1 };
}
