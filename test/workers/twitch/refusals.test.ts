import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { refusalOf } from "../../../workers/twitch/refusals.ts";

describe("refusalOf()", () => {
  const rows: readonly (readonly [notice: string, text: string, code: string, retry: object])[] = [
    ["msg_ratelimit", "You are sending messages too quickly.", "rate_limited", { kind: "after", delayMs: 30_000 }],
    ["msg_duplicate", "identical, less than 30 seconds ago.", "rate_limited", { kind: "after", delayMs: 31_000 }],
    ["msg_slowmode", "You may talk again in 7 seconds.", "rate_limited", { kind: "after", delayMs: 8_000 }],
    ["msg_slowmode", "Without a number", "rate_limited", { kind: "after", delayMs: 30_000 }],
    ["msg_timedout", "You are timed out for 600 more seconds.", "rate_limited", { kind: "after", delayMs: 601_000 }],
    ["msg_banned", "You are permanently banned.", "forbidden", { kind: "never" }],
    ["msg_rejected", "Your message is being checked by mods.", "message_rejected", { kind: "never" }],
    ["msg_rejected_mandatory", "It does not fit the rules.", "message_rejected", { kind: "never" }],
    ["msg_channel_suspended", "This channel does not exist.", "not_found", { kind: "never" }],
    ["msg_subsonly", "Subscribers only.", "forbidden", { kind: "never" }],
    ["unrecognized_cmd", "Unrecognized command: /x", "message_rejected", { kind: "never" }],
    ["msg_of_some_later_year", "No.", "message_rejected", { kind: "never" }],
  ];
  for (const [notice, text, code, retry] of rows)
    it(`takes ${notice} (${text}) for ${code}`, () => {
      const error = refusalOf(notice, text);
      assert.deepEqual([error?.code, error?.retry], [code, retry]);
      assert.ok(error?.message.includes(notice));
    });

  it("says what a person must do where one can do something", () => {
    for (const notice of ["msg_banned", "msg_followersonly", "msg_subsonly", "msg_verified_email"])
      assert.ok((refusalOf(notice, "")?.userAction ?? "").length > 10, notice);
  });

  it("takes no other notice for a refusal", () => {
    for (const notice of ["", "slow_on", "emote_only_off", "room_mods", "__proto__", "constructor"])
      assert.equal(refusalOf(notice, "This room is now in slow mode."), null);
  });
});
