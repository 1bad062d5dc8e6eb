import assert from "node:assert/strict";
import { describe, it } from "node:test";

type Message = {
  readonly key: string;
  readonly from: "me" | "them";
  readonly text: string;
  readonly at: number;
  readonly state?: string;
  readonly file?: { readonly filename: string; readonly mimeType: string; readonly data: string | null };
};
type Store = {
  readonly conversation: string;
  readonly cursor: number;
  readonly isStreaming: boolean;
  readonly messages: readonly Message[];
  put(message: Message): Message;
  update(key: string, change: Partial<Message>): Message | null;
  passed(cursor: number, isStreaming: boolean): void;
  clear(): void;
};
type StorageLike = Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length">;
// The page's own script, as the browser gets it: it has no types to import.
const page = new URL("../../../workers/webchat/page/store.js", import.meta.url).href;
const { Store: PageStore } = (await import(page)) as {
  Store: new (storage: StorageLike | null, prefix: string) => Store;
};

/** `localStorage`, with a quota in characters. */
function storage(quota = Number.POSITIVE_INFINITY): StorageLike {
  const items = new Map<string, string>();
  return {
    get length() {
      return items.size;
    },
    key: (index) => [...items.keys()][index] ?? null,
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => {
      const used = [...items].reduce((sum, [name, held]) => sum + (name === key ? 0 : name.length + held.length), 0);
      if (used + key.length + value.length > quota) throw new Error("QuotaExceededError");
      items.set(key, value);
    },
    removeItem: (key) => void items.delete(key),
  };
}

function message(key: string, change: Partial<Message> = {}): Message {
  return { key, from: "them", text: `text of ${key}`, at: 1, ...change };
}

describe("Store of the page", () => {
  it("makes an id that cannot be guessed, once", () => {
    const shared = storage();
    const first = new PageStore(shared, "a:");
    assert.match(first.conversation, /^[0-9a-f-]{32,36}$/u);
    assert.equal(new PageStore(shared, "a:").conversation, first.conversation);
    assert.notEqual(new PageStore(shared, "b:").conversation, first.conversation);
  });

  it("keeps messages in the order they came, whatever the clock says", () => {
    const store = new PageStore(storage(), "a:");
    for (const [key, at] of [
      ["x", 500],
      ["r10", 100],
      ["r9", 100],
    ] as const)
      store.put(message(key, { at }));
    assert.deepEqual(
      store.messages.map(({ key }) => key),
      ["x", "r10", "r9"],
    );
  });

  it("changes a message it knows, and only such", () => {
    const store = new PageStore(storage(), "a:");
    store.put(message("x", { state: "sending" }));
    assert.equal(store.update("x", { state: "sent" })?.state, "sent");
    assert.equal(store.update("gone", { state: "sent" }), null);
    assert.equal(store.messages.length, 1);
  });

  it("does not lose what two tabs write at the same time", () => {
    const shared = storage();
    const [left, right] = [new PageStore(shared, "a:"), new PageStore(shared, "a:")];
    left.put(message("x"));
    right.put(message("y"));
    assert.deepEqual(
      left.messages.map(({ key }) => key),
      ["x", "y"],
    );
  });

  it("keeps the latest 200, and all that are still to be sent", () => {
    const store = new PageStore(storage(), "a:");
    store.put(message("unsent", { from: "me", state: "sending" }));
    for (let index = 0; index < 250; index += 1) store.put(message(`r${index}`));
    const keys = store.messages.map(({ key }) => key);
    assert.equal(keys.length, 200);
    assert.equal(keys[0], "unsent");
    assert.equal(keys.at(-1), "r249");
  });

  it("only ever moves its cursor on", () => {
    const store = new PageStore(storage(), "a:");
    store.passed(5, true);
    store.passed(3, false);
    assert.equal(store.cursor, 5);
    assert.equal(store.isStreaming, false);
  });

  it("makes room when the browser's storage is full", () => {
    const store = new PageStore(storage(20_000), "a:");
    for (let index = 0; index < 100; index += 1) store.put(message(`r${index}`, { text: "x".repeat(500) }));
    assert.equal(store.messages.at(-1)?.key, "r99");
  });

  it("keeps a large file's name, not its bytes", () => {
    const store = new PageStore(storage(), "a:");
    store.put(message("r1", { file: { filename: "a", mimeType: "b", data: "x".repeat(200_001) } }));
    assert.deepEqual(store.messages[0]?.file, { filename: "a", mimeType: "b", data: null });
  });

  it("reads nothing out of broken items", () => {
    const shared = storage();
    shared.setItem("a:message:x", "{");
    shared.setItem("a:message:y", "null");
    shared.setItem("a:cursor", "many");
    const store = new PageStore(shared, "a:");
    assert.deepEqual([store.messages, store.cursor], [[], 0]);
  });

  it("forgets a conversation whole", () => {
    const store = new PageStore(storage(), "a:");
    const before = store.conversation;
    store.put(message("x"));
    store.passed(5, true);
    store.clear();
    assert.deepEqual([store.messages, store.cursor, store.isStreaming], [[], 0, false]);
    assert.notEqual(store.conversation, before);
  });

  it("works without any storage for as long as the tab lives", () => {
    const store = new PageStore(null, "a:");
    store.put(message("x"));
    assert.equal(store.messages.length, 1);
    assert.equal(store.conversation, store.conversation);
  });
});
