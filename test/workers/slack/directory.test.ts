import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { webApi } from "@slack/bolt";
import { SlackApi } from "../../../workers/slack/api.ts";
import { Directory } from "../../../workers/slack/directory.ts";

describe("Directory", () => {
  it("forgets the oldest of the threads that the bot itself began", async () => {
    const client = { apiCall: async () => ({ messages: [{ user: "U1" }] }) };
    const directory = new Directory(new SlackApi(client as unknown as webApi.WebClient, () => {}));
    for (let thread = 0; thread <= 5_000; thread += 1) directory.knowThreadAuthor("C1", `${thread}.1`, "UBOT");
    assert.equal(directory.threadAuthor("C1", "5000.1"), "UBOT");
    assert.equal(directory.threadAuthor("C1", "1.1"), "UBOT");
    const oldest = directory.threadAuthor("C1", "0.1");
    assert.ok(oldest instanceof Promise, "the oldest is still remembered");
    assert.equal(await oldest, "U1");
  });
});
