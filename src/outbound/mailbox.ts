/** Where clients of pull adapters fetch replies: answers `mailbox.read` and `mailbox.ack` of the adapters' threads. */
import { GatewayError } from "../contract/errors.ts";
import type { Journal, JournalWrite } from "../contract/journal.ts";
import type { Logger } from "../support/logger.ts";
import { after as afterDelay, sleep, steadyNow } from "../support/time.ts";
import { MailCache, type Mail } from "./mail-cache.ts";

const mostEntries = 100;
const mostAnswerBytes = 8_388_608;
const longestWaitMs = 60_000;
/** Held reads of one adapter. */
const mostHeld = 20_000;
const longestConversationCharacters = 512;
const journalRetryMs = 1000;
/** How late it may be on disk that mail was fetched. */
const takenDelayMs = 20;

/** Which thread asks. */
export type MailClient = { readonly key: string; readonly generation: number };

/** The outcome of a `mailbox.read`: `value` says each entry's cursor and length, `body` is the responses as JSON. */
export type MailAnswer = {
  readonly value: readonly (readonly [cursor: number, bytes: number])[];
  readonly body: readonly Uint8Array[];
};

type ReadRequest = {
  readonly conversation: string;
  readonly after: number;
  readonly waitMs: number;
  readonly remove: boolean;
};
type Held = ReadRequest & {
  readonly client: MailClient;
  readonly answer: (answer: MailAnswer) => void;
  readonly timer: Disposable;
};

const nothing: MailAnswer = { value: [], body: [] };

/** All mailboxes of the gateway. */
export class Mailboxes implements AsyncDisposable {
  readonly #journal: Journal;
  readonly #logger: Logger;
  readonly #cache: MailCache;
  /** By runtime key, then conversation; the newest read last. */
  readonly #held = new Map<string, Map<string, Held[]>>();
  readonly #heldCount = new Map<string, number>();
  readonly #taken = new Map<string, Extract<JournalWrite, { readonly op: "mailTaken" }>>();
  readonly #ended = new AbortController();
  #isFlushScheduled = false;

  constructor(parts: { readonly journal: Journal; readonly logger: Logger; readonly cache?: MailCache }) {
    this.#journal = parts.journal;
    this.#logger = parts.logger;
    this.#cache = parts.cache ?? new MailCache(parts.journal.opened);
  }

  /** Mail that has just reached the disk: reads that wait for it are answered. */
  deliver(mail: Mail): void {
    this.#cache.add(mail);
    const waiting = this.#held.get(mail.key)?.get(mail.conversation);
    if (waiting === undefined) return;
    // The newest first: one that takes the mail away, so that the others find none, most likely has its client still there.
    for (const held of waiting.toReversed()) {
      if (held.after >= mail.cursor) continue;
      const found = this.#cache.read({ key: mail.key, conversation: held.conversation, after: held.after });
      if (found === null || found.length === 0) continue;
      this.#release(held);
      held.answer(this.#hand(found, held));
    }
  }

  /**
   * Answers one read; `args` is what the thread sent, unchecked. Not answered at all when its generation goes away first.
   * @throws {GatewayError} `invalid_request` for malformed arguments, `queue_full` with too many reads held, `journal_unavailable`.
   */
  read(client: MailClient, args: unknown): Promise<MailAnswer> | MailAnswer {
    const request = parseRead(args);
    const known = this.#cache.read({ key: client.key, conversation: request.conversation, after: request.after });
    if (known === null) return this.#readFromJournal(client, request);
    if (known.length > 0) return this.#hand(known, { ...request, client });
    return request.waitMs === 0 ? nothing : this.#hold(client, request);
  }

  /** What is up to and including `upTo` was fetched. @throws {GatewayError} `invalid_request` for malformed arguments. */
  ack(client: MailClient, args: unknown): void {
    const { conversation, upTo } = (args ?? {}) as Record<string, unknown>;
    if (!isConversation(conversation) || !isCursor(upTo))
      throw new GatewayError("invalid_request", "Cannot remove mail: expected { conversation, upTo }");
    this.#take({ key: client.key, conversation, upTo });
  }

  /** The generation is gone: nobody waits for its reads any more. */
  gone(client: MailClient): void {
    for (const waiting of this.#held.get(client.key)?.values() ?? [])
      for (const held of waiting.slice()) if (held.client.generation <= client.generation) this.#release(held);
  }

  /** Reads that are held for one adapter. */
  heldCount(key: string): number {
    return this.#heldCount.get(key) ?? 0;
  }

  /** Answers the held reads with nothing, and writes what was taken. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort(new GatewayError("adapter_unavailable", "The gateway is shutting down"));
    for (const conversations of this.#held.values())
      for (const waiting of conversations.values())
        for (const held of waiting.slice()) {
          this.#release(held);
          held.answer(nothing);
        }
    await this.#flush();
  }

  async #readFromJournal(client: MailClient, request: ReadRequest): Promise<MailAnswer> {
    const place = { key: client.key, conversation: request.conversation, after: request.after };
    await this.#flush();
    const rows = await this.#journal.query("mail", { ...place, limit: mostEntries });
    const atMs = steadyNow();
    const found = rows.map((row): Mail => ({ ...row, key: client.key, conversation: request.conversation, atMs }));
    if (found.length < mostEntries) this.#cache.learn(place, found);
    const known = this.#cache.read(place) ?? found;
    if (known.length > 0) return this.#hand(known, { ...request, client });
    return request.waitMs === 0 ? nothing : this.#hold(client, request);
  }

  #hold(client: MailClient, request: ReadRequest): Promise<MailAnswer> {
    const count = this.heldCount(client.key);
    if (count >= mostHeld)
      throw new GatewayError("queue_full", `Cannot hold another read for ${client.key}: ${mostHeld} are held`);
    this.#heldCount.set(client.key, count + 1);
    const { promise, resolve } = Promise.withResolvers<MailAnswer>();
    const held: Held = {
      ...request,
      client,
      answer: resolve,
      timer: afterDelay(request.waitMs, () => {
        this.#release(held);
        resolve(nothing);
      }),
    };
    let conversations = this.#held.get(client.key);
    if (conversations === undefined) this.#held.set(client.key, (conversations = new Map()));
    const waiting = conversations.get(request.conversation);
    if (waiting === undefined) conversations.set(request.conversation, [held]);
    else waiting.push(held);
    return promise;
  }

  #release(held: Held): void {
    held.timer[Symbol.dispose]();
    const conversations = this.#held.get(held.client.key);
    const waiting = conversations?.get(held.conversation);
    const index = waiting?.indexOf(held) ?? -1;
    if (conversations === undefined || waiting === undefined || index === -1) return;
    waiting.splice(index, 1);
    if (waiting.length === 0) conversations.delete(held.conversation);
    this.#heldCount.set(held.client.key, this.heldCount(held.client.key) - 1);
  }

  #hand(found: readonly Mail[], request: ReadRequest & { readonly client: MailClient }): MailAnswer {
    const value: (readonly [number, number])[] = [];
    const body: Uint8Array[] = [];
    let bytes = 0;
    let upTo = 0;
    for (const { cursor, response } of found) {
      if (value.length === mostEntries || (bytes > 0 && bytes + response.length > mostAnswerBytes)) break;
      bytes += response.length;
      upTo = cursor;
      value.push([cursor, response.length]);
      body.push(response);
    }
    if (request.remove) this.#take({ key: request.client.key, conversation: request.conversation, upTo });
    return { value, body };
  }

  #take(place: { readonly key: string; readonly conversation: string; readonly upTo: number }): void {
    this.#cache.take(place);
    const name = formatPlace(place);
    const upTo = Math.max(place.upTo, this.#taken.get(name)?.upTo ?? 0);
    this.#taken.set(name, { op: "mailTaken", ...place, upTo });
    if (this.#isFlushScheduled) return;
    this.#isFlushScheduled = true;
    // One transaction for all that is fetched meanwhile, and not one more sync of the disk for each reply.
    afterDelay(takenDelayMs, () => {
      this.#isFlushScheduled = false;
      void this.#flush();
    });
  }

  /** Writes what was taken. Until it is on disk a restart would hand it out again: late is better than lost. */
  async #flush(): Promise<void> {
    if (this.#taken.size === 0) return;
    const writes = [...this.#taken.values()];
    this.#taken.clear();
    try {
      await this.#journal.commit(writes);
    } catch (reason) {
      this.#logger.warn("mail-taken-not-written", { error: GatewayError.from(reason).message, count: writes.length });
      await sleep(journalRetryMs, this.#ended.signal).catch(() => {
        // Being disposed: the next start hands this mail out once more.
      });
      if (!this.#ended.signal.aborted) for (const write of writes) this.#take(write);
    }
  }
}

function formatPlace(place: { readonly key: string; readonly conversation: string }): string {
  return `${place.key}/${place.conversation}`;
}

function parseRead(args: unknown): ReadRequest {
  const { conversation, after, waitMs, remove } = (args ?? {}) as Record<string, unknown>;
  if (isConversation(conversation) && isCursor(after) && isCursor(waitMs) && typeof remove === "boolean")
    return { conversation, after, waitMs: Math.min(waitMs, longestWaitMs), remove };
  throw new GatewayError("invalid_request", "Cannot read mail: expected { conversation, after, waitMs, remove }");
}

function isConversation(value: unknown): value is string {
  return typeof value === "string" && value !== "" && value.length <= longestConversationCharacters;
}

function isCursor(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}
