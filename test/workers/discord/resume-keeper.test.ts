import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ResumeKeeper } from "../../../workers/discord/resume-keeper.ts";
import { parseResumeState, type ResumeState } from "../../../workers/discord/resume-state.ts";

const session = { id: "s1", resumeUrl: "wss://gateway.example", sequence: 7 };
const state: ResumeState = {
  userId: "1",
  applicationId: "2",
  session,
  aliveAtMs: 1_000,
  lastMessages: { "10": "100" },
  directUsers: { "11": "42" },
  commandScopes: [""],
};

describe("parseResumeState()", () => {
  it("reads back what was stored", () => {
    assert.deepEqual(parseResumeState(JSON.parse(JSON.stringify(state)), "1"), state);
  });

  it("has no use for another bot's state, or for none", () => {
    for (const value of [null, 5, [], {}, { ...state, userId: "9" }]) assert.equal(parseResumeState(value, "1"), null);
  });

  it("forgets a session that cannot be resumed, and keeps the rest", () => {
    const broken = [
      { ...session, resumeUrl: "javascript:1" },
      { ...session, sequence: "7" },
      { ...session, sequence: -1 },
      { ...session, id: 5 },
      null,
      "text",
    ];
    for (const each of broken) {
      const parsed = parseResumeState({ ...state, session: each }, "1");
      assert.equal(parsed?.session, null);
      assert.equal(parsed?.aliveAtMs, 1_000);
    }
  });

  it("drops ids that are none", () => {
    const parsed = parseResumeState({ ...state, lastMessages: { "10": "100", x: "1", "12": 5, "13": "../" } }, "1");
    assert.deepEqual(parsed?.lastMessages, { "10": "100" });
  });
});

describe("ResumeKeeper", () => {
  it("stores the accepted sequence while the library goes on with the received one", async () => {
    const { keeper, stored } = create(state);
    keeper.received = { sessionId: "s1", resumeURL: session.resumeUrl, sequence: 20, shardId: 0, shardCount: 1 };
    keeper.accept({ session: { ...session, sequence: 9 }, atMs: 2_000 });
    await keeper.flush();
    assert.equal(keeper.received?.sequence, 20);
    assert.deepEqual(stored.at(-1)?.session, { ...session, sequence: 9 });
    assert.equal(stored.at(-1)?.aliveAtMs, 2_000);
  });

  it("stores a new session at once, so that a generation that dies early finds it", async () => {
    const { keeper, stored } = create(null);
    keeper.received = { sessionId: "s2", resumeURL: session.resumeUrl, sequence: 1, shardId: 0, shardCount: 1 };
    keeper.accept(keeper.markNow(1));
    await Promise.resolve();
    assert.deepEqual(stored.at(-1)?.session, { id: "s2", resumeUrl: session.resumeUrl, sequence: 1 });
  });

  it("stores a direct channel at once, since Discord lists none", async () => {
    const { keeper, stored } = create(state);
    keeper.sawDirect("12", "43");
    await Promise.resolve();
    assert.deepEqual(stored.at(-1)?.directUsers, { "11": "42", "12": "43" });
    keeper.sawDirect("12", "43");
    await Promise.resolve();
    assert.equal(stored.length, 1);
  });

  it("leaves nothing unwritten that it saw before its end", async () => {
    const { keeper, stored } = create(state);
    keeper.sawMessage("10", "200");
    keeper[Symbol.dispose]();
    await keeper.flush();
    assert.equal(stored.at(-1)?.lastMessages["10"], "200");
  });

  it("ignores what is left of a session that has ended", async () => {
    const { keeper, stored } = create(state);
    keeper.received = null;
    keeper.accept({ session: { ...session, sequence: 30 }, atMs: 3_000 });
    await keeper.flush();
    assert.equal(stored.at(-1)?.session, null);
  });

  it("writes at most twice a second, and again what could not be written", async (context) => {
    context.mock.timers.enable({ apis: ["setTimeout"] });
    let isBroken = true;
    const stored: unknown[] = [];
    const errors: unknown[] = [];
    const keeper = new ResumeKeeper({
      userId: "1",
      state,
      store: async (value) => {
        if (isBroken) throw new Error("away");
        stored.push(value);
      },
      onError: (reason) => errors.push(reason),
    });
    for (let sequence = 8; sequence < 100; sequence += 1) keeper.accept({ session: { ...session, sequence }, atMs: 1 });
    context.mock.timers.tick(500);
    await Promise.resolve();
    await Promise.resolve();
    assert.equal(errors.length, 1);
    isBroken = false;
    keeper.accept({ session: { ...session, sequence: 100 }, atMs: 1 });
    context.mock.timers.tick(500);
    await Promise.resolve();
    assert.equal(stored.length, 1);
  });

  it("keeps the newest message of each channel, whatever order they come in", async () => {
    const { keeper } = create(state);
    keeper.sawMessage("10", "99");
    keeper.sawMessage("10", "1000");
    keeper.sawMessage("10", "999");
    assert.equal(keeper.lastMessage("10"), "1000");
  });
});

function create(from: ResumeState | null): { readonly keeper: ResumeKeeper; readonly stored: ResumeState[] } {
  const stored: ResumeState[] = [];
  const keeper = new ResumeKeeper({
    userId: "1",
    state: from,
    store: async (value) => {
      stored.push(value as ResumeState);
    },
    onError: () => {},
  });
  return { keeper, stored };
}
