import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { resumeStateOf } from "../../../workers/telegram/resume-state.ts";

const day = 86_400_000;
const state = { botId: 7, mode: "polling", offset: 900, atMs: 1_000, held: [], hasMenu: true };

describe("resumeStateOf()", () => {
  it("goes on where it was", () => {
    assert.deepEqual(resumeStateOf(state, 7, 2_000), state);
  });

  it("begins anew for another bot, and without a state", () => {
    assert.equal(resumeStateOf(state, 8, 2_000), null);
    assert.equal(resumeStateOf(null, 7, 2_000), null);
    assert.equal(resumeStateOf("x", 7, 2_000), null);
  });

  it("forgets an offset that is older than anything Telegram keeps, and no other part", () => {
    assert.deepEqual(resumeStateOf(state, 7, 1_000 + day), { ...state, offset: null });
    assert.equal(resumeStateOf(state, 7, 999 + day)?.offset, 900);
  });

  it("takes what has another form for nothing", () => {
    const odd = { botId: 7, mode: 3, offset: "900", atMs: null, held: [null, { albumId: 1 }], hasMenu: "yes" };
    assert.deepEqual(resumeStateOf(odd, 7, 0), {
      botId: 7,
      mode: "polling",
      offset: null,
      atMs: 0,
      held: [],
      hasMenu: false,
    });
  });
});
