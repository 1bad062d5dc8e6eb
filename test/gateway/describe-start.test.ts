import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { describeStart } from "../../src/gateway/describe-start.ts";
import { configOf } from "../config/load-text.ts";

describe("describeStart()", () => {
  it("names the address of each adapter that listens, and of no other", async () => {
    const config = await configOf(
      `[messaging.webhook]\nport = 18001\nbind = "::1"\n` +
        `[messaging.slack]\nbot_token = "xoxb-1"\napp_token = "xapp-1"\n` +
        `[[messaging.slack.instances]]\nname = "http"\nbot_token = "xoxb-2"\nsigning_secret = "planted"\nport = 18002\n` +
        `[messaging.telegram]\ntoken = "1:planted"\n`,
    );
    const { fields, human } = describeStart(config, "http://127.0.0.1:8787");
    const addresses = { webhook: "http://[::1]:18001", "slack:http": "http://127.0.0.1:18002" };
    assert.deepEqual(fields["addresses"], addresses);
    assert.match(human, /slack:http\s+http:\/\/127\.0\.0\.1:18002/u);
  });
});
