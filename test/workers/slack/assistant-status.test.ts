import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { webApi } from "@slack/bolt";
import { SlackApi } from "../../../workers/slack/api.ts";
import { AssistantStatus } from "../../../workers/slack/assistant-status.ts";
import { Channels } from "../../../workers/slack/channels.ts";

describe("AssistantStatus", () => {
  it("forgets the oldest of many threads that nobody ever answered", async () => {
    const calls: unknown[] = [];
    // Of the library only this is used.
    const client = { apiCall: async (_: string, request: unknown) => calls.push(request) };
    const api = new SlackApi(client as unknown as webApi.WebClient, () => {});
    using status = new AssistantStatus(api, new Channels(api), assert.ifError);
    for (let thread = 0; thread <= 1_000; thread += 1)
      await status.set(`C1#thread:${thread}.1`, null, { kind: "thinking" });
    assert.equal(calls.length, 1_001);
    await status.set("C1#thread:0.1", null, { kind: "stop_typing" });
    assert.equal(calls.length, 1_001, "the first is still remembered");
    await status.set("C1#thread:1000.1", null, { kind: "stop_typing" });
    assert.equal(calls.length, 1_002);
  });
});
