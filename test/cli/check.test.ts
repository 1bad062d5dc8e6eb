import { describe, it } from "node:test";
import assert from "node:assert/strict";
import type { LoadResult } from "../../src/contract/config.ts";
import { check } from "../../src/cli/check.ts";
import type { CommandContext } from "../../src/cli/context.ts";
import { config as loadedConfig } from "../support/config-fixture.ts";

async function run(loaded: LoadResult, json = false) {
  const [out, err]: [string[], string[]] = [[], []];
  const context: CommandContext = {
    json,
    source: { kind: "file", path: "/etc/bulkhead.toml" },
    print: (line) => out.push(line),
    complain: (line) => err.push(line),
    load: async () => loaded,
    planFromNothing: () => [],
    connect: () => assert.fail("check works offline"),
  };
  return { exitCode: await check(context), out, err };
}

const token = { path: "messaging.slack.bot_token", message: "missing, expected a token", line: 12 };
const port = { path: "messaging.webhook.port", message: "found 0.5, expected a port", line: null };

describe("check()", () => {
  it("accepts a config without errors, and shows its warnings", async () => {
    const warning = { path: "metrics", message: "not a table of ours", line: 3 };
    const config = loadedConfig({ warnings: [warning], skippedBindings: [port] });
    assert.deepEqual(await run({ ok: true, config }), {
      exitCode: 0,
      out: ["/etc/bulkhead.toml: valid, 0 adapters, 1 consumer"],
      err: [
        "warning: /etc/bulkhead.toml:3: metrics: not a table of ours",
        "warning: /etc/bulkhead.toml: messaging.webhook.port: found 0.5, expected a port",
      ],
    });
  });

  it("exits 2 with every error that stops the config", async () => {
    const { exitCode, err } = await run({ ok: false, errors: [token, port] });
    assert.equal(exitCode, 2);
    assert.deepEqual(err, [
      "/etc/bulkhead.toml:12: messaging.slack.bot_token: missing, expected a token",
      "/etc/bulkhead.toml: messaging.webhook.port: found 0.5, expected a port",
      "bulkhead: /etc/bulkhead.toml has 2 errors",
    ]);
  });

  it("exits 2 for an error that holds back one adapter only", async () => {
    const config = loadedConfig({ invalid: [{ key: "slack", platform: "slack", errors: [token] }] });
    const { exitCode, err } = await run({ ok: true, config });
    assert.equal(exitCode, 2);
    assert.equal(err.length, 2);
  });

  it("prints JSON with errors and warnings", async () => {
    const { exitCode, out } = await run({ ok: false, errors: [token] }, true);
    assert.deepEqual([exitCode, JSON.parse(out.join(""))], [2, { ok: false, errors: [token], warnings: [] }]);
  });
});
