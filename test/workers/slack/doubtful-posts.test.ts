import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { AdapterBench } from "../../conformance/adapter-bench.ts";
import { SlackPlatform } from "../../emulators/slack/platform.ts";

const hourMs = 3_600_000;

describe("a post in doubt", () => {
  for (const [what, skewMs] of [
    ["an hour ahead", hourMs],
    ["an hour behind", -hourMs],
  ] as const)
    it(`is found though the clock was ${what} when it was made`, async () => {
      await using platform = await SlackPlatform.start("socket");
      await using bench = await AdapterBench.start(platform);
      const heard = await bench.hear("a question");
      await bench.answer(heard, "an answer", "key");
      const attemptedAt = new Date(Date.now() + skewMs).toISOString();
      await bench.respawn();
      await bench.complete(heard, "an answer", { idempotencyKey: "key", attemptedAt });
      assert.equal(platform.shown.filter(({ text }) => text === "an answer").length, 1);
    });
});
