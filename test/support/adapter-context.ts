/** An adapter's context without a gateway: a mailbox in memory, and an `emit` the test decides about. */
import type {
  AdapterContext,
  AdapterLog,
  HeldToken,
  Mailbox,
  MailboxEntry,
  Policy,
  StoredToken,
  TokenKeeper,
} from "../../src/contract/adapter.ts";
import type { EmittedMessage } from "../../src/contract/message.ts";
import type { Response } from "../../src/contract/response.ts";
import { after } from "../../src/support/time.ts";
import { Turns } from "../../src/support/turns.ts";

/** A policy that lets everything through. */
export const openPolicy: Policy = {
  guildFilter: null,
  workspaceFilter: null,
  chatFilter: null,
  channelFilter: {},
  dmAllowedUsers: ["*"],
  allowBotMessages: false,
  allowedSenders: [],
  triggerPrefix: "",
  maxBodyBytes: 1_048_576,
  maxAttachmentBytes: 10_485_760,
  commands: [],
};

/** A mailbox as the gateway's: cursors rise over all conversations, and a read whose caller is gone still happens. */
export class MemoryMailbox implements Mailbox {
  readonly #entries = new Map<string, MailboxEntry[]>();
  readonly #waiting = new Set<() => void>();
  #lastCursor = 0;
  /** Reads so far. */
  reads = 0;
  /** Rejects every read while set. */
  failure: Error | null = null;

  /** Puts a reply where its client will find it. */
  put(conversation: string, response: Response | string): number {
    this.#lastCursor += 1;
    const entry = {
      cursor: this.#lastCursor,
      response: typeof response === "string" ? ({ kind: "text", text: response } as const) : response,
    };
    this.#entries.set(conversation, [...(this.#entries.get(conversation) ?? []), entry]);
    for (const look of this.#waiting) look();
    return entry.cursor;
  }

  /** What still waits in `conversation`. */
  waiting(conversation: string): readonly MailboxEntry[] {
    return this.#entries.get(conversation) ?? [];
  }

  /** Reads that are held just now. */
  get held(): number {
    return this.#waiting.size;
  }

  async read(request: Parameters<Mailbox["read"]>[0]): Promise<readonly MailboxEntry[]> {
    this.reads += 1;
    if (this.failure !== null) throw this.failure;
    request.signal?.throwIfAborted();
    const found = this.#take(request);
    if (found.length > 0 || request.waitMs === 0) return found;
    const answer = Promise.withResolvers<readonly MailboxEntry[]>();
    const look = (): void => {
      const late = this.#take(request);
      if (late.length > 0) answer.resolve(late);
    };
    this.#waiting.add(look);
    using _timer = after(request.waitMs, () => answer.resolve([]));
    request.signal?.addEventListener("abort", () => answer.reject(request.signal?.reason), { once: true });
    try {
      return await answer.promise;
    } finally {
      this.#waiting.delete(look);
    }
  }

  ack({ conversation, upTo }: { readonly conversation: string; readonly upTo: number }): void {
    this.#entries.set(
      conversation,
      this.waiting(conversation).filter((entry) => entry.cursor > upTo),
    );
  }

  #take(request: Parameters<Mailbox["read"]>[0]): readonly MailboxEntry[] {
    const found = this.waiting(request.conversation)
      .filter((entry) => entry.cursor > request.after)
      .slice(0, 100);
    const last = found.at(-1);
    if (request.remove && last !== undefined) this.ack({ conversation: request.conversation, upTo: last.cursor });
    return found;
  }
}

/** A token keeper as the gateway's: one holder after the other, and a token counts only for what was configured then. */
export class MemoryTokenKeeper implements TokenKeeper {
  /** What was stored, in order. */
  readonly stored: StoredToken[] = [];
  /** Rejects every store while set. */
  failure: Error | null = null;
  #configured = "";
  readonly #turns = new Turns();

  withLock<Value>(configured: string, run: (held: HeldToken) => Promise<Value>): Promise<Value> {
    return this.#turns.take(() =>
      run({
        stored: (this.#configured === configured ? this.stored.at(-1) : null) ?? null,
        store: async (token) => {
          if (this.failure !== null) throw this.failure;
          this.#configured = configured;
          this.stored.push(token);
        },
      }),
    );
  }

  /** What an earlier life has left. */
  leave(configured: string, token: StoredToken): void {
    this.#configured = configured;
    this.stored.push(token);
  }
}

/** One line of the adapter's log. */
export type LoggedLine = { readonly event: string; readonly fields: Readonly<Record<string, unknown>> };

/** What {@link adapterContext} is made with; everything has a default. */
export type AdapterContextOptions<Settings> = {
  readonly settings: Settings;
  readonly key?: string;
  readonly policy?: Partial<Policy>;
  /** An earlier life's. */
  readonly mailbox?: MemoryMailbox;
  /** Replaces accepting; the default answers like the gateway: the same message, the same id. */
  readonly emit?: (message: EmittedMessage) => Promise<string>;
};

/** A context and what went through it. */
export type TestContext<Settings> = {
  readonly context: AdapterContext<Settings>;
  readonly mailbox: MemoryMailbox;
  /** Accepted messages in order, each once however often it was sent. */
  readonly accepted: EmittedMessage[];
  readonly log: LoggedLine[];
  /** Ends the generation. */
  readonly abort: () => void;
};

/** A context for one adapter started in the test's own thread. */
export function adapterContext<Settings>(options: AdapterContextOptions<Settings>): TestContext<Settings> {
  const mailbox = options.mailbox ?? new MemoryMailbox();
  const accepted: EmittedMessage[] = [];
  const log: LoggedLine[] = [];
  const ending = new AbortController();
  const known = new Set<string>();
  const accept = async (message: EmittedMessage): Promise<string> => {
    const id = `m-${message.conversation}-${message.id}`;
    if (!known.has(id)) accepted.push(message);
    known.add(id);
    return id;
  };
  const emit = options.emit ?? accept;
  const state: { value: unknown } = { value: null };
  const key = options.key ?? "test";
  return {
    mailbox,
    accepted,
    log,
    abort: () => ending.abort(),
    context: {
      key,
      generation: 1,
      settings: options.settings,
      policy: { ...openPolicy, ...options.policy },
      signal: ending.signal,
      log: recordingLog(log),
      emit: async (input) => {
        const messages = Array.isArray(input) ? (input as readonly EmittedMessage[]) : [input as EmittedMessage];
        return Promise.all(messages.map(emit));
      },
      frame: () => {},
      reconnecting: () => {},
      connected: () => {},
      missed: () => {},
      resume: {
        load: async () => state.value,
        store: async (value) => {
          state.value = value;
        },
      },
      budget: { acquire: async () => {} },
      token: new MemoryTokenKeeper(),
      mailbox,
    },
  };
}

function recordingLog(lines: LoggedLine[]): AdapterLog {
  const record = (event: string, fields: Readonly<Record<string, unknown>> = {}): void => {
    lines.push({ event, fields });
  };
  return { debug: record, info: record, warn: record, error: record };
}

/** Where a started adapter listens, from its log: `http://127.0.0.1:PORT`. */
export function listeningUrl(log: readonly LoggedLine[]): string {
  const line = log.findLast(({ event }) => event.endsWith("-listening"));
  if (line === undefined) throw new TypeError("Cannot find the address: nothing was logged about listening");
  return `http://${String(line.fields["address"])}`;
}
