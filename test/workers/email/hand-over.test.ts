import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { GatewayError } from "../../../src/contract/errors.ts";
import type { EmittedMessage } from "../../../src/contract/message.ts";
import { cursorFor, type FolderCursor, type StoredCursors } from "../../../workers/email/folder-cursor.ts";
import { HandOver } from "../../../workers/email/hand-over.ts";
import { FakeClock } from "../../conformance/fake-clock.ts";

const first = cursorFor(null, { uidValidity: 7n, uidNext: 1 });
const at = (lastUid: number): FolderCursor => ({ ...first, lastUid });
const message = (id: string): EmittedMessage => ({ id, conversation: "c", sender: { id: "a" }, text: id });

/** A gateway that takes messages and states in the order in which it gets them. */
class Gateway {
  readonly events: string[] = [];
  readonly logged: string[] = [];
  missed = 0;
  refusals: GatewayError[] = [];
  stored: unknown = null;
  readonly ending = new AbortController();
  readonly leaving: string[] = [];

  async open(): Promise<HandOver> {
    const log = (event: string): void => void this.logged.push(event);
    return HandOver.open({
      context: {
        emit: async (input) => {
          const messages = [input].flat() as readonly EmittedMessage[];
          const bad = messages.find(({ text }) => text === "bad");
          if (bad !== undefined) throw new GatewayError("too_large", "Cannot emit the message");
          const refusal = this.refusals.shift();
          if (refusal !== undefined) throw refusal;
          this.events.push(...messages.map(({ id }) => id));
          return messages.map(({ id }) => id);
        },
        resume: {
          load: async () => this.stored,
          store: async (state) => {
            this.stored = structuredClone(state);
            this.events.push(`at ${String((state as StoredCursors).folders["INBOX"]?.lastUid)}`);
          },
        },
        log: { debug: log, info: log, warn: log, error: log },
        missed: ({ messages = 0 }) => (this.missed += messages),
      },
      folders: ["INBOX"],
      onLeaving: (messages) => this.leaving.push(...messages.map(({ id }) => id)),
      signal: this.ending.signal,
    });
  }
}

describe("HandOver", () => {
  it("hands over messages with how far their folder was read, and goes on there in the next life", async () => {
    const gateway = new Gateway();
    await (await gateway.open()).give("INBOX", at(2), [message("one"), message("two")]);
    assert.deepEqual(gateway.events, ["one", "two", "at 2"]);
    assert.deepEqual(gateway.leaving, ["one", "two"]);
    assert.deepEqual((await gateway.open()).cursorOf("INBOX"), at(2));
  });

  it("forgets folders that are not read any more", async () => {
    const gateway = new Gateway();
    gateway.stored = { version: 1, folders: { INBOX: at(1), Old: at(9) } };
    await (await gateway.open()).give("INBOX", at(2), []);
    assert.deepEqual(Object.keys((gateway.stored as StoredCursors).folders), ["INBOX"]);
  });

  it("waits for a gateway that cannot take them, and gives nothing up", async () => {
    const gateway = new Gateway();
    const away = new GatewayError("journal_unavailable", "away");
    gateway.refusals = [
      away,
      away,
      new GatewayError("queue_full", "full", { retry: { kind: "after", delayMs: 5_000 } }),
    ];
    await using clock = new FakeClock();
    const handOver = await gateway.open();
    const given = handOver.give("INBOX", at(1), [message("one")]);
    const outcome = await clock.outcomeOf(given, 60, "the end of a wait");
    assert.equal(outcome.kind, "resolved");
    assert.deepEqual(
      gateway.events.filter((event) => !event.startsWith("at")),
      ["one"],
    );
    assert.deepEqual(gateway.logged, ["email-mails-wait", "email-mails-wait", "email-mails-wait"]);
    assert.deepEqual(handOver.cursorOf("INBOX"), at(1));
  });

  it("does not wait any longer than its generation lives", async () => {
    const gateway = new Gateway();
    gateway.refusals = Array.from({ length: 100 }, () => new GatewayError("journal_unavailable", "away"));
    const handOver = await gateway.open();
    const given = handOver.give("INBOX", at(1), [message("one")]);
    const ended = given.then(
      () => "resolved",
      () => "rejected",
    );
    gateway.ending.abort(new GatewayError("adapter_unavailable", "stopping"));
    assert.equal(await ended, "rejected");
    assert.equal(handOver.cursorOf("INBOX"), null);
  });

  it("leaves out a message that the gateway cannot take, and stores the state after the others alone", async () => {
    const gateway = new Gateway();
    const handOver = await gateway.open();
    await handOver.give("INBOX", at(1), []);
    gateway.events.length = 0;
    await handOver.give("INBOX", at(4), [message("one"), { ...message("two"), text: "bad" }, message("three")]);
    // The first state went with nothing, and was taken back before anything could be written.
    assert.deepEqual(gateway.events, ["at 4", "at 1", "one", "three", "at 4"]);
    assert.equal(gateway.missed, 1);
    assert.deepEqual(gateway.logged, ["email-mail-not-taken"]);
  });
});
