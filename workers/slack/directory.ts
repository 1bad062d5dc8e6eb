/** Names of users and channels, and who began a thread: asked once, kept for a while, never waited for long. */
import { steadyNow, withDeadline } from "../../src/support/time.ts";
import type { SlackApi } from "./api.ts";
import { fieldsOf, listOf, textOf } from "./fields.ts";

/** How a user is called. */
export type UserName = { readonly display: string; readonly login: string };

/** What is kept of one kind of answers. Times in milliseconds. */
type CacheOptions<Value> = {
  readonly most: number;
  readonly keepMs: number;
  readonly load: (id: string) => Promise<Value>;
};
type Entry<Value> = { value: Value | null; readonly expiresAtMs: number; loading: Promise<Value | null> | null };

/** Beyond it a message goes on without the name. */
const lookupTimeoutMs = 2_000;
/** Slack is not asked again for what it would not say. */
const refusedMs = 60_000;
const hourMs = 3_600_000;

class Cache<Value> {
  readonly #options: CacheOptions<Value>;
  /** The oldest first. */
  readonly #entries = new Map<string, Entry<Value>>();

  constructor(options: CacheOptions<Value>) {
    this.#options = options;
  }

  /** What is known; a promise where it must be asked first. `null`: it could not be found out. */
  get(id: string): Value | null | Promise<Value | null> {
    const nowMs = steadyNow();
    const known = this.#entries.get(id);
    if (known !== undefined && known.expiresAtMs > nowMs) return known.loading ?? known.value;
    this.#makeRoom(id);
    const entry: Entry<Value> = { value: null, expiresAtMs: nowMs + this.#options.keepMs, loading: null };
    entry.loading = this.#load(id, entry);
    this.#entries.set(id, entry);
    return entry.loading;
  }

  set(id: string, value: Value): void {
    this.#makeRoom(id);
    this.#entries.set(id, { value, expiresAtMs: steadyNow() + this.#options.keepMs, loading: null });
  }

  #makeRoom(id: string): void {
    this.#entries.delete(id);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size >= this.#options.most && oldest !== undefined) this.#entries.delete(oldest);
  }

  async #load(id: string, entry: Entry<Value>): Promise<Value | null> {
    try {
      entry.value = await withDeadline(this.#options.load(id), lookupTimeoutMs, "The lookup");
      entry.loading = null;
    } catch {
      // A name is no reason to hold a message back; Slack's refusals show where something is sent.
      if (this.#entries.get(id) === entry)
        this.#entries.set(id, { value: null, expiresAtMs: steadyNow() + refusedMs, loading: null });
    }
    return entry.value;
  }
}

/** The names of one workspace. */
export class Directory {
  readonly #users: Cache<UserName>;
  readonly #channels: Cache<string>;
  readonly #threads: Cache<string>;

  constructor(api: SlackApi) {
    this.#users = new Cache({ most: 5_000, keepMs: hourMs, load: (id) => loadUser(api, id) });
    this.#channels = new Cache({ most: 2_000, keepMs: hourMs, load: (id) => loadChannel(api, id) });
    this.#threads = new Cache({ most: 5_000, keepMs: 24 * hourMs, load: (id) => loadThreadAuthor(api, id) });
  }

  /** How user `id` is called. */
  user(id: string): UserName | null | Promise<UserName | null> {
    return this.#users.get(id);
  }

  /** How channel `id` is called, without its `#`; `""` for one without a name, such as a direct message. */
  channel(id: string): string | null | Promise<string | null> {
    return this.#channels.get(id);
  }

  /** Who began the thread: a user's id. */
  threadAuthor(channel: string, threadTs: string): string | null | Promise<string | null> {
    return this.#threads.get(`${channel}/${threadTs}`);
  }

  /** Known without asking. */
  knowThreadAuthor(channel: string, threadTs: string, user: string): void {
    this.#threads.set(`${channel}/${threadTs}`, user);
  }
}

async function loadUser(api: SlackApi, id: string): Promise<UserName> {
  const user = fieldsOf((await api.call("users.info", { user: id }))["user"]);
  const profile = fieldsOf(user["profile"]);
  const login = textOf(user["name"]);
  const display =
    textOf(profile["display_name"]) || textOf(profile["real_name"]) || textOf(user["real_name"]) || login || id;
  return { display, login };
}

async function loadChannel(api: SlackApi, id: string): Promise<string> {
  const channel = fieldsOf((await api.call("conversations.info", { channel: id }))["channel"]);
  return textOf(channel["name"]);
}

async function loadThreadAuthor(api: SlackApi, id: string): Promise<string> {
  const slash = id.indexOf("/");
  const request = { channel: id.slice(0, slash), ts: id.slice(slash + 1), limit: 1 };
  const [root] = listOf((await api.call("conversations.replies", request))["messages"]);
  return textOf(fieldsOf(root)["user"]);
}
