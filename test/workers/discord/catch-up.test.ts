import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { DiscordApi } from "../../../workers/discord/api.ts";
import { catchUp } from "../../../workers/discord/catch-up.ts";
import { Directory } from "../../../workers/discord/directory.ts";
import { snowflakeAt, type Payload } from "../../../workers/discord/payload.ts";
import { ResumeKeeper } from "../../../workers/discord/resume-keeper.ts";

describe("catchUp()", () => {
  it("takes nothing from a channel whose place it cannot find out, and counts it: no guild's message is a direct one", async () => {
    const sinceMs = Date.now() - 60_000;
    const written = { id: snowflakeAt(sinceMs + 1_000), author: { id: "42" }, content: "in a guild's thread" };
    const accepted: Payload[] = [];
    const directory = new Directory({ channel: async () => null, guild: async () => null });
    const keeper = new ResumeKeeper({ userId: "1", state: null, store: async () => {}, onError: assert.ifError });
    keeper.sawMessage("900", snowflakeAt(sinceMs - 1_000));
    const caughtUp = await catchUp(
      {
        // Only its lists are asked for.
        api: { list: async () => [written] } as unknown as DiscordApi,
        directory,
        keeper,
        accept: async (messages) => void accepted.push(...messages),
        signal: new AbortController().signal,
      },
      sinceMs,
    );
    assert.deepEqual(accepted, []);
    assert.deepEqual(caughtUp, { isComplete: false, messages: 0, channels: 1 });
  });
});
