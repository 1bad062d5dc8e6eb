import assert from "node:assert/strict";
import path from "node:path";
import { describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { baseDir, configOf, errorsOf } from "./load-text.ts";

describe("[[consumers]]", () => {
  it("reads each kind with its defaults", async () => {
    const text = `
[gateway]
default_consumer = "hook"
[[consumers]]
name = "code"
module = "./consumers.test.ts"
threads = 2
[[consumers]]
name = "hook"
url = "http://127.0.0.1:9/in"
signing_secret = "env:HOOK"
[[consumers]]
name = "wire"
stream = true
timeout_ms = 5
[[consumers]]
name = "echo"
builtin = "echo"
stream = false
`;
    const { consumers, gateway } = await configOf(text, { environment: { HOOK: "hook-secret" } });
    assert.deepEqual(
      consumers.map(({ name, target }) => [name, target]),
      [
        ["code", { kind: "module", moduleUrl: pathToFileURL(path.join(baseDir, "consumers.test.ts")).href }],
        ["hook", { kind: "url", url: "http://127.0.0.1:9/in", signingSecret: "hook-secret" }],
        ["wire", { kind: "stream" }],
        ["echo", { kind: "echo" }],
      ],
    );
    assert.match(consumers[0]?.moduleHash ?? "", /^[0-9a-f]{64}$/u);
    assert.deepEqual([consumers[0]?.threads, consumers[2]?.timeoutMs, consumers[3]?.concurrency], [2, 5, 16]);
    assert.equal(gateway.defaultConsumer, "hook");
  });

  it("reports everything that is wrong with them at once", async () => {
    const text = `
[[consumers]]
name = "none"
[[consumers]]
name = "two"
stream = true
builtin = "echo"
[[consumers]]
name = "two"
module = "./absent.ts"
[[consumers]]
name = "far"
url = "http://example.com/"
signing_secret = "env:NONE"
[[consumers]]
stream = true
thread = 1
`;
    assert.deepEqual(await errorsOf(text), [
      "2 consumers[0]: found none, expected one of module, url, stream, builtin",
      "4 consumers[1]: found stream and builtin, expected one of module, url, stream, builtin",
      "9 consumers[2].name: found the name of consumers[1], expected a name of its own",
      `10 consumers[2].module: module ${path.join(baseDir, "absent.ts")} cannot be read: no such file`,
      "13 consumers[3].url: found http:// to example.com, expected a URL with https:// (http:// only to loopback)",
      "14 consumers[3].signing_secret: environment variable NONE is not set",
      "15 consumers[4].name: missing, expected a string",
      '17 consumers[4].thread: unknown key, the nearest known key is "threads"',
    ]);
  });
});

describe("[[bindings]]", () => {
  it("makes each distinct name a stream consumer where none is listed", async () => {
    const text = ["b", "a", "b"].map((name) => `[[bindings]]\nagent_id = "${name}"\nchannel = "webhook"`).join("\n");
    const { consumers, gateway } = await configOf(text);
    assert.deepEqual(
      consumers.map(({ name, target }) => [name, target.kind]),
      [
        ["b", "stream"],
        ["a", "stream"],
      ],
    );
    assert.equal(gateway.defaultConsumer, "b");
  });

  it("keeps bindings to running and invalid adapters, and skips those to absent and disabled ones", async () => {
    const config = await configOf(`
[messaging.webhook]
[messaging.webchat]
port = "wrong"
[messaging.discord]
enabled = false
[[bindings]]
consumer = "main"
channel = "webhook"
adapter = " "
[[bindings]]
consumer = "main"
channel = "webchat"
[[bindings]]
consumer = "main"
channel = "discord"
[[bindings]]
consumer = "main"
channel = "webhook"
adapter = "ops"
`);
    assert.deepEqual(
      config.bindings.map(({ channel, adapter }) => [channel, adapter]),
      [
        ["webhook", null],
        ["webchat", null],
      ],
    );
    assert.deepEqual(config.skippedBindings, [
      { path: "bindings[2]", message: 'skipped: the adapter "discord" is switched off', line: 14 },
      { path: "bindings[3]", message: 'skipped: the adapter "webhook:ops" is not configured', line: 17 },
    ]);
  });

  it("fills what is left out", async () => {
    const { bindings } = await configOf('[messaging.webhook]\n[[bindings]]\nconsumer = "main"\nchannel = "webhook"');
    assert.deepEqual(bindings, [
      {
        consumer: "main",
        channel: "webhook",
        adapter: null,
        guildId: null,
        workspaceId: null,
        chatId: null,
        teamId: null,
        channelIds: [],
        requireMention: false,
        dmAllowedUsers: [],
        authority: null,
        settings: {},
      },
    ]);
  });

  it("reports everything that is wrong with them at once", async () => {
    const text = `
[[consumers]]
name = "main"
stream = true
[[bindings]]
agent_id = "mian"
channel = "webhook"
[[bindings]]
channel = "webhook"
guild_id = ""
[[bindings]]
consumer = "main"
agent_id = "other"
chanel = "webhook"
channel_ids = ["a", true]
`;
    assert.deepEqual(await errorsOf(text), [
      '6 bindings[0].agent_id: found consumer "mian", which is not configured, expected "main"',
      "8 bindings[1].consumer: missing, expected the name of a consumer",
      "10 bindings[1].guild_id: found an empty string, expected at least 1 characters",
      "11 bindings[2].channel: missing, expected a string",
      "12 bindings[2].consumer: found another name than agent_id, expected one of the two keys",
      '14 bindings[2].chanel: unknown key, the nearest known key is "channel"',
      "15 bindings[2].channel_ids[1]: found a boolean, expected a string or an integer",
    ]);
  });
});
