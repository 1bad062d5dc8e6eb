/**
 * What the page remembers: the conversation's id, how far it has read, and its latest messages. All tabs of one browser
 * share it, so each message is an item of its own: two tabs that write at once do not undo each other.
 */

const maxMessages = 200;
/** A larger file is shown but not kept. */
const maxFileCharacters = 200_000;

/**
 * @typedef {object} StoredMessage
 * @property {string} key our client id for our own, `r` and the cursor for a reply
 * @property {"me" | "them"} from
 * @property {string} text
 * @property {number} at milliseconds since 1970
 * @property {"sending" | "sent" | "failed"} [state] of our own
 * @property {string} [error]
 * @property {{ filename: string, mimeType: string, data: string | null }} [file]
 */

/** Over `localStorage`, or over memory where a browser refuses it. */
export class Store {
  #storage;
  #prefix;

  /** @param {Storage | null} storage @param {string} prefix apart from other chats of the same origin */
  constructor(storage, prefix) {
    this.#storage = storage ?? memoryStorage();
    this.#prefix = prefix;
  }

  /** The conversation's id: made here, and as good as a password for its replies. */
  get conversation() {
    const known = this.#read("conversation");
    if (known !== null) return known;
    const made = randomId();
    this.#write("conversation", made);
    return made;
  }

  /** Every reply up to this one is stored. */
  get cursor() {
    const cursor = Number(this.#read("cursor") ?? 0);
    return Number.isSafeInteger(cursor) ? cursor : 0;
  }

  get token() {
    return this.#read("token") ?? "";
  }

  set token(token) {
    this.#write("token", token);
  }

  /** Between a stream's start and its end. */
  get isStreaming() {
    return this.#read("streaming") === "yes";
  }

  /** @returns {StoredMessage[]} oldest first */
  get messages() {
    return this.#messageKeys()
      .map((name) => parse(this.#storage.getItem(name)))
      .filter((message) => message !== null)
      .sort((left, right) => left.at - right.at);
  }

  /** Whether a key of a `storage` event is one of this store's. @param {string | null} key */
  owns(key) {
    return key === null || key.startsWith(this.#prefix);
  }

  /**
   * Adds a message, or changes the one with its key. A new one stands after all others, whatever the clock says.
   * @param {StoredMessage} message
   * @returns {StoredMessage} as it is stored
   */
  put(message) {
    const name = `message:${message.key}`;
    const known = this.#read(name) !== null;
    const messages = known ? [] : this.messages;
    const stored = known ? message : { ...message, at: Math.max(message.at, (messages.at(-1)?.at ?? 0) + 1) };
    const isHuge = (stored.file?.data?.length ?? 0) > maxFileCharacters;
    this.#makeRoom(messages, maxMessages - 1);
    if (!isHuge && this.#write(name, JSON.stringify(stored))) return stored;
    const bare = JSON.stringify(stored.file ? { ...stored, file: { ...stored.file, data: null } } : stored);
    // A full storage loses its oldest quarter, again and again.
    while (!this.#write(name, bare)) {
      const { length } = this.messages;
      this.#makeRoom(this.messages, Math.floor(length * 0.75));
      if (this.messages.length === length) break;
    }
    return stored;
  }

  /** Changes a message if it is still known. @param {string} key @param {Partial<StoredMessage>} change */
  update(key, change) {
    const known = parse(this.#read(`message:${key}`));
    return known === null ? null : this.put({ ...known, ...change });
  }

  /** A reply is stored: the next connection goes on after it. @param {number} cursor @param {boolean} isStreaming */
  passed(cursor, isStreaming) {
    this.#write("streaming", isStreaming ? "yes" : "no");
    if (cursor > this.cursor) this.#write("cursor", String(cursor));
  }

  /** Forgets everything but the token: the next conversation is a new one. */
  clear() {
    for (const name of this.#messageKeys()) this.#storage.removeItem(name);
    for (const name of ["conversation", "cursor", "streaming"]) this.#storage.removeItem(this.#prefix + name);
  }

  /** The oldest go, but never one that is still to be sent. */
  #makeRoom(messages, most) {
    const settled = messages.filter((message) => message.state !== "sending");
    const surplus = Math.max(0, messages.length - most);
    for (const { key } of settled.slice(0, surplus)) this.#storage.removeItem(`${this.#prefix}message:${key}`);
  }

  #messageKeys() {
    const prefix = `${this.#prefix}message:`;
    const keys = [];
    for (let index = 0; index < this.#storage.length; index += 1) {
      const name = this.#storage.key(index);
      if (name?.startsWith(prefix)) keys.push(name);
    }
    return keys;
  }

  #read(name) {
    return this.#storage.getItem(this.#prefix + name);
  }

  #write(name, value) {
    try {
      this.#storage.setItem(this.#prefix + name, value);
      return true;
    } catch {
      // Full, or closed to us: the caller decides what can go.
      return false;
    }
  }
}

/** 128 random bits in 22 or more characters; `randomUUID` exists on secure origins only. */
export function randomId() {
  if (typeof crypto.randomUUID === "function") return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A stored message; whatever else it may be is not ours. */
function parse(json) {
  try {
    const message = JSON.parse(json ?? "null");
    return typeof message?.key === "string" && typeof message.text === "string" ? message : null;
  } catch {
    // Cut short by a full storage, or another page's.
    return null;
  }
}

function memoryStorage() {
  const items = new Map();
  return {
    get length() {
      return items.size;
    },
    key: (index) => [...items.keys()][index] ?? null,
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => void items.set(key, value),
    removeItem: (key) => void items.delete(key),
  };
}
