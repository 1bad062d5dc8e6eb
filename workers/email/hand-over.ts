/** Messages and how far their folder was read, to the gateway: both are on disk or neither. */
import type { AdapterContext } from "../../src/contract/adapter.ts";
import { GatewayError } from "../../src/contract/errors.ts";
import type { EmittedMessage } from "../../src/contract/message.ts";
import { emitWithState } from "../../src/support/emit-with-state.ts";
import { orAborted, sleep } from "../../src/support/time.ts";
import { cursorsFrom, type FolderCursor, type StoredCursors } from "./folder-cursor.ts";

const shortestPauseMs = 1_000;
const longestPauseMs = 30_000;

/** What it works with. */
export type HandOverParts = {
  readonly context: Pick<AdapterContext, "emit" | "resume" | "log" | "missed">;
  readonly folders: readonly string[];
  /** These are about to leave: whoever gets one may answer before it is known here that it arrived. */
  readonly onLeaving: (messages: readonly EmittedMessage[]) => void;
  /** Ends with the generation. */
  readonly signal: AbortSignal;
};

/** The cursors of all folders, and the only way a message leaves. */
export class HandOver {
  readonly #parts: HandOverParts;
  readonly #cursors: Map<string, FolderCursor>;

  private constructor(parts: HandOverParts, cursors: ReadonlyMap<string, FolderCursor>) {
    this.#parts = parts;
    // What a folder that is not read any more was at is forgotten.
    this.#cursors = new Map([...cursors].filter(([folder]) => parts.folders.includes(folder)));
  }

  /** With what an earlier life stored. */
  static async open(parts: HandOverParts): Promise<HandOver> {
    return new HandOver(parts, cursorsFrom(await parts.context.resume.load()));
  }

  /** `null`: it was never read. */
  cursorOf(folder: string): FolderCursor | null {
    return this.#cursors.get(folder) ?? null;
  }

  /** Resolves when `messages` and `cursor` are on disk, however long the gateway cannot take them. @throws when the generation ends. */
  async give(folder: string, cursor: FolderCursor, messages: readonly EmittedMessage[]): Promise<void> {
    const { context, signal, onLeaving } = this.#parts;
    onLeaving(messages);
    for (let pauseMs = shortestPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      try {
        // Stopped meanwhile, nobody waits for the journal: what it has not taken, the mailbox still has.
        await orAborted(this.#emit(messages, this.#stateWith(folder, cursor)), signal);
        this.#cursors.set(folder, cursor);
        return;
      } catch (reason) {
        signal.throwIfAborted();
        const error = GatewayError.from(reason);
        const waitMs = error.retry.kind === "after" ? Math.min(error.retry.delayMs, longestPauseMs) : pauseMs;
        context.log.warn("email-mails-wait", { error: error.message, retryInMs: waitMs });
        await sleep(waitMs, signal);
      }
    }
  }

  /** Stores `cursor` when it may; a later one makes up for it. */
  note(folder: string, cursor: FolderCursor): void {
    this.#cursors.set(folder, cursor);
    this.#parts.context.resume.store(this.#state()).catch((reason: unknown) => {
      this.#parts.context.log.debug("email-cursor-not-stored", { error: GatewayError.from(reason).message });
    });
  }

  #emit(messages: readonly EmittedMessage[], state: StoredCursors): Promise<void> {
    const { context } = this.#parts;
    return emitWithState(context, {
      messages,
      state,
      stateBefore: () => this.#state(),
      onRefused: ({ metadata }, { message: error }) => {
        context.log.error("email-mail-not-taken", { folder: metadata?.["email_folder"], error });
        context.missed({ messages: 1 });
      },
    });
  }

  #stateWith(folder: string, cursor: FolderCursor): StoredCursors {
    return { version: 1, folders: Object.fromEntries([...this.#cursors, [folder, cursor]]) };
  }

  #state(): StoredCursors {
    return { version: 1, folders: Object.fromEntries(this.#cursors) };
  }
}
