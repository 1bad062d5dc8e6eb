import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { GatewayError } from "../../../src/contract/errors.ts";
import type { EmittedMessage } from "../../../src/contract/message.ts";
import { TelegramApi } from "../../../workers/telegram/api.ts";
import { ChatMigrations } from "../../../workers/telegram/chat-migrations.ts";
import type { ResumeState } from "../../../workers/telegram/resume-state.ts";
import { TopicMemory } from "../../../workers/telegram/topic-memory.ts";
import { UpdateIntake } from "../../../workers/telegram/update-intake.ts";
import { openPolicy } from "../../support/adapter-context.ts";
import { message, update } from "./telegram-messages.ts";

const state: ResumeState = {
  botId: 7,
  mode: "polling",
  offset: 100,
  atMs: Date.now(),
  held: [],
  hasMenu: false,
};

describe("UpdateIntake", () => {
  it("stores the offset only with the last of a batch in which one message is refused", async () => {
    const journal = new FakeJournal();
    using api = new TelegramApi({ token: "1:a", apiUrl: "http://127.0.0.1:1" });
    const log = { debug() {}, info() {}, warn() {}, error() {} };
    const intake = new UpdateIntake({
      context: {
        log,
        missed: (report) => void journal.missed.push(report),
        emit: (input) => journal.emit(Array.isArray(input) ? input : [input]),
        resume: { load: async () => null, store: (stored) => journal.store(stored) },
      },
      api,
      bot: { id: 7, username: "bot" },
      migrations: new ChatMigrations(log),
      topics: new TopicMemory(),
      policy: openPolicy,
      state,
    });
    const updates = ["one", "refused", "two"].map((text, index) => update("message", message({ text }), 100 + index));
    const accepting = intake.accept(updates, 103);
    await nextTurn();
    await nextTurn();
    assert.ok(journal.waiting.length > 0, "nothing is on its way");
    assert.notEqual(journal.stored?.offset, 103, "a death now would lose what is on its way");
    while (journal.waiting.length > 0) {
      for (const accept of journal.waiting.splice(0)) accept();
      await nextTurn();
      await nextTurn();
    }
    await accepting;
    assert.equal(journal.stored?.offset, 103);
    assert.deepEqual(journal.accepted, ["one", "two"]);
    assert.deepEqual(journal.missed, [{ messages: 1 }]);
    await intake.stop();
  });
});

/** As the gateway's: what one turn stores leaves at its end, the last of it; a batch with a malformed message leaves not at all. */
class FakeJournal {
  readonly waiting: (() => void)[] = [];
  readonly accepted: string[] = [];
  readonly missed: unknown[] = [];
  stored: ResumeState | null = null;
  #next: ResumeState | null = null;
  #storing: Promise<void> | null = null;

  async emit(messages: readonly EmittedMessage[]): Promise<readonly string[]> {
    if (messages.some(({ text }) => text === "refused")) throw new GatewayError("invalid_request", "malformed");
    const accepted = Promise.withResolvers<void>();
    this.waiting.push(accepted.resolve);
    await accepted.promise;
    this.accepted.push(...messages.map(({ text }) => text));
    return messages.map(({ id }) => id);
  }

  store(stored: unknown): Promise<void> {
    // Made by the code under test.
    this.#next = stored as ResumeState;
    this.#storing ??= this.#atTurnEnd();
    return this.#storing;
  }

  async #atTurnEnd(): Promise<void> {
    await nextTurn();
    this.#storing = null;
    this.stored = this.#next;
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
