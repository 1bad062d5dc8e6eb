import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { parse } from "smol-toml";
import { loadConfig } from "../../src/config/load.ts";
import type { Config, LoadResult } from "../../src/contract/config.ts";
import { platforms } from "../../src/contract/spec.ts";
import { baseDir, configOf, errorsOf, invalidOf, loadText } from "./load-text.ts";

describe("loadConfig() of a whole file", () => {
  it("gives every documented default for an empty file", async () => {
    const config = await configOf("");
    assert.deepEqual(config, {
      gateway: {
        stateDir: path.join(baseDir, "data"),
        logLevel: "info",
        shutdownTimeoutMs: 15_000,
        defaultConsumer: "main",
        restartOnLeakedThread: "never",
        keepRaw: false,
      },
      supervisor: {
        startTimeoutMs: 30_000,
        stopTimeoutMs: 5000,
        killTimeoutMs: 5000,
        hangAfterMs: 10_000,
        backoffMinMs: 1000,
        backoffMaxMs: 60_000,
        stableAfterMs: 300_000,
        slowRetryFailures: 5,
        slowRetryWindowMs: 600_000,
        slowRetryMs: 300_000,
        attentionRetryMs: 900_000,
        memoryLimitMb: 256,
        isolation: "auto",
        standby: false,
        maxAgeMs: 0,
      },
      hosts: { mode: "process", maxAdapters: 100, memoryLimitMb: 2048, permissions: true },
      journal: { durability: "full", groupCommitMs: 0, retainHours: 24, maxBytes: 2 * 2 ** 30 },
      admin: { listen: { kind: "tcp", host: "127.0.0.1", port: 8787 } },
      consumers: [
        {
          name: "main",
          target: { kind: "stream" },
          concurrency: 16,
          threads: 1,
          timeoutMs: 30_000,
          maxAttempts: 5,
          moduleHash: null,
        },
      ],
      bindings: [],
      notify: [],
      adapters: [],
      invalid: [],
      disabledKeys: [],
      skippedBindings: [],
      warnings: [],
      secretPaths: [],
    } satisfies Config);
  });

  it("names the path of a file that is missing", async () => {
    const file = path.join(baseDir, "absent.toml");
    const result = await loadConfig({ source: { kind: "file", path: file }, environment: {} });
    assert.deepEqual(result, {
      ok: false,
      errors: [{ path: "", message: `Cannot read ${file}: no such file`, line: null }],
    });
  });

  it("says the line of a syntax error and repeats nothing of the file", async () => {
    assert.deepEqual(await errorsOf('[messaging.discord]\ntoken = "very-secret'), [
      "2 : Cannot parse the config: unfinished string",
    ]);
  });

  it("refuses bytes that are not UTF-8", async (t) => {
    const folder = await mkdtemp(path.join(tmpdir(), "bulkhead-"));
    t.after(() => rm(folder, { recursive: true }));
    const file = path.join(folder, "a.toml");
    await writeFile(file, Buffer.from([0x61, 0xff]));
    const result = await loadConfig({ source: { kind: "file", path: file }, environment: {} });
    assert.ok(!result.ok);
    assert.match(result.errors[0]?.message ?? "", /not UTF-8/u);
  });

  it("knows where secrets are: the folder of them, and each file that is referred to", async (t) => {
    const folder = await mkdtemp(path.join(tmpdir(), "bulkhead-"));
    t.after(() => rm(folder, { recursive: true }));
    await writeFile(path.join(folder, "token"), "a-token\n");
    const text = '[secrets]\ndir = "hidden"\n[messaging.webhook]\nauth_token = "file:./token"\n';
    const result = await loadConfig({
      source: { kind: "text", text, baseDir: folder },
      environment: {},
    });
    assert.ok(result.ok);
    assert.deepEqual(result.config.secretPaths, [path.join(folder, "hidden"), path.join(folder, "token")]);
  });

  it("runs web chat, a webhook and the echo consumer without a file", async () => {
    const result = await loadConfig({ source: { kind: "embedded", baseDir }, environment: {} });
    assert.ok(result.ok);
    const { adapters, consumers, gateway, admin, invalid } = result.config;
    assert.deepEqual(
      adapters.map(({ key, settings }) => [key, settings["bind"], settings["port"]]),
      [
        ["webhook", "127.0.0.1", 18_789],
        ["webchat", "127.0.0.1", 8788],
      ],
    );
    assert.deepEqual(consumers[0]?.target, { kind: "echo" });
    assert.equal(gateway.stateDir, path.join(baseDir, "data"));
    assert.deepEqual(admin.listen, { kind: "tcp", host: "127.0.0.1", port: 8787 });
    assert.deepEqual(invalid, []);
  });

  it("rejects with the signal's reason when it is aborted", async () => {
    const reason = new Error("stopped");
    await assert.rejects(loadText("", { signal: AbortSignal.abort(reason) }), reason);
  });

  it("refuses a value from code that is no plain data", async () => {
    const value = { messaging: { acme: { module: "./x.ts", settings: { callback: () => 1 } } } };
    const result = await loadConfig({ source: { kind: "object", value, baseDir }, environment: {} });
    assert.deepEqual(result, {
      ok: false,
      errors: [
        { path: "messaging.acme.settings.callback", message: "found a function, expected plain data", line: null },
      ],
    });
  });
});

describe("loadConfig() of what is wrong outside [messaging]", () => {
  it("reports every error at once with path and line", async () => {
    const text = `
log_levle = 1
[gateway]
log_level = "loud"
stat_dir = "x"
[supervisor]
start_timeout_ms = "1"
[hosts]
mode = "threads"
[journal]
max_bytes = "2 parsecs"
retain_hours = -1
[admin]
listen = "nowhere"
[cluster]
nodes = 3
[messaging.discrod]
token = "x"
[messaging.slack]
bot_tokn = "x"
`;
    assert.deepEqual(await errorsOf(text), [
      "2 log_levle: unknown key, expected one of admin, bindings, consumers, gateway, hosts, journal, messaging, notify, secrets, supervisor",
      '4 gateway.log_level: found "loud", expected one of "trace", "debug", "info", "warn", "error", "fatal", "silent"',
      '5 gateway.stat_dir: unknown key, the nearest known key is "state_dir"',
      "7 supervisor.start_timeout_ms: found a string, expected a number",
      '9 hosts.mode: found "threads", expected one of "process", "inline"',
      '11 journal.max_bytes: found a string, expected a size such as "2GiB" of at least 65536 bytes',
      "12 journal.retain_hours: found -1, expected at least 0",
      '14 admin.listen: found a string, expected an address such as "127.0.0.1:8787", "[::1]:8787" or "unix:/path"',
      "15 cluster: unknown key, expected one of admin, bindings, consumers, gateway, hosts, journal, messaging, notify, secrets, supervisor",
      '17 messaging.discrod: unknown platform, the nearest known one is "discord"; an adapter of your own needs the key module',
      "19 messaging.slack.app_token: missing, expected app_token (socket mode) or signing_secret (HTTP mode)",
      "19 messaging.slack.bot_token: missing, expected a string here or in the environment variable SLACK_BOT_TOKEN",
      '20 messaging.slack.bot_tokn: unknown key, the nearest known key is "bot_token"',
    ]);
  });

  it("refuses a [messaging] that is no table", async () => {
    assert.deepEqual(await errorsOf("messaging = 3"), ["1 messaging: found a number, expected a table"]);
  });

  it("refuses a least backoff above the greatest", async () => {
    assert.deepEqual(await errorsOf("[supervisor]\nbackoff_min_ms = 70000"), [
      "2 supervisor.backoff_min_ms: found 70000, expected at most backoff_max_ms, which is 60000",
    ]);
  });

  it("refuses a default consumer that does not exist", async () => {
    assert.deepEqual(
      await errorsOf('[gateway]\ndefault_consumer = "mian"\n[[consumers]]\nname = "main"\nstream = true'),
      ['2 gateway.default_consumer: found consumer "mian", which is not configured, expected "main"'],
    );
  });

  it("refuses plain http to another machine in [[notify]], and resolves its references", async () => {
    const text = '[[notify]]\nurl = "http://example.com/x"\n[[notify]]\nurl = "env:NOTIFY_URL"';
    assert.deepEqual(await errorsOf(text, { environment: { NOTIFY_URL: "https://example.com/hook" } }), [
      "2 notify[0].url: found http:// to example.com, expected a URL with https:// (http:// only to loopback)",
    ]);
    const config = await configOf('[[notify]]\nurl = "env:NOTIFY_URL"', {
      environment: { NOTIFY_URL: "http://[::1]:9/h" },
    });
    assert.deepEqual(config.notify, [{ url: "http://[::1]:9/h" }]);
  });

  it("resolves the admin address and the state directory against the file's folder", async () => {
    const config = await configOf('[gateway]\nstate_dir = "state"\n[admin]\nlisten = "unix:run/admin.sock"');
    assert.deepEqual(config.admin.listen, { kind: "unix", path: path.join(baseDir, "run/admin.sock") });
    assert.equal(config.gateway.stateDir, path.join(baseDir, "state"));
  });
});

describe("loadConfig() of another program's file", () => {
  const source = { kind: "file", path: path.join(baseDir, "spacebot.toml") } as const;
  const environment = { DISCORD_BOT_TOKEN: "discord-token-0001", EMAIL_IMAP_PASSWORD: "mail-password-0001" };

  it("runs it as it is", async () => {
    const result = await loadConfig({ source, environment });
    assert.ok(result.ok, JSON.stringify(result));
    const { config } = result;
    assert.deepEqual(
      config.adapters.map(({ key }) => key),
      ["discord", "slack", "twitch", "email", "webhook"],
    );
    assert.deepEqual(config.disabledKeys, ["telegram"]);
    assert.deepEqual(
      config.invalid.map(({ key, errors }) => [key, errors.map(({ message }) => message)]),
      [["discord:alerts", ["found secret:NAME, expected [secrets] dir to say where secrets are"]]],
    );
    assert.deepEqual(
      config.consumers.map(({ name, target }) => [name, target.kind]),
      [
        ["main", "stream"],
        ["support", "stream"],
      ],
    );
    assert.equal(config.gateway.defaultConsumer, "main");
    assert.deepEqual(
      config.skippedBindings.map(({ path: place, message }) => `${place}: ${message}`),
      [
        'bindings[3]: skipped: the adapter "telegram" is switched off',
        'bindings[4]: skipped: the adapter "signal" is not configured',
      ],
    );
  });

  it("gives one warning that lists what is passed over", async () => {
    const result = await loadConfig({ source, environment });
    assert.ok(result.ok);
    assert.deepEqual(
      result.config.warnings.map(({ message }) => message),
      [
        "passed over, because nothing here reads them: agents, api, autonomy, defaults, groups, humans, links, llm, memory_janitor, messaging.mattermost, messaging.portal, messaging.signal, metrics, telemetry",
      ],
    );
  });

  it("reads its values: numbers as ids, prefixes stripped, defaults cascading, floors", async () => {
    const result = await loadConfig({ source, environment });
    assert.ok(result.ok);
    const byKey = new Map(result.config.adapters.map((adapter) => [adapter.key, adapter]));
    assert.deepEqual(byKey.get("discord")?.policy.dmAllowedUsers, ["118000000000000001", "118000000000000002"]);
    assert.deepEqual(byKey.get("discord")?.authority, ["118000000000000001"]);
    assert.deepEqual(byKey.get("discord")?.secrets, ["discord-token-0001"]);
    assert.equal(byKey.get("twitch")?.settings["oauthToken"], "twitchtoken0001");
    assert.deepEqual(byKey.get("twitch")?.settings["channels"], ["bridge", "engine"]);
    assert.equal(byKey.get("twitch")?.policy.triggerPrefix, "!ship");
    assert.deepEqual(byKey.get("email")?.settings, {
      imapHost: "imap.example.com",
      imapPort: 993,
      imapUsername: "bot@example.com",
      imapPassword: "mail-password-0001",
      imapUseTls: true,
      smtpHost: "smtp.example.com",
      smtpPort: 587,
      smtpUsername: "bot@example.com",
      smtpPassword: "mail-password-0001",
      smtpUseStarttls: true,
      fromAddress: "bot@example.com",
      fromName: "",
      oauth2AccessToken: "",
      pollIntervalSecs: 5,
      folders: ["INBOX", "Support"],
      markSeen: true,
    });
    assert.equal(byKey.get("email")?.policy.maxBodyBytes, 262_144);
    assert.equal(result.config.bindings[0]?.guildId, "118000000000000003");
    assert.deepEqual(result.config.bindings[2]?.authority, []);
    assert.deepEqual(result.config.bindings[2]?.settings, { response_mode: "mention_only" });
  });
});

describe("loadConfig() of anything", () => {
  const words =
    "gateway supervisor hosts journal secrets admin consumers bindings notify messaging acme signal instances name module " +
    "settings token enabled port bind consumer agent_id channel url stream dir listen max_bytes __proto__ constructor";
  const key = fc.oneof(fc.constantFrom(...platforms, ...words.split(" ")), fc.string());
  const leaf = fc.oneof(
    fc.string(),
    fc.constantFrom("env:X", "file:./none", "secret:X", "secret:..", "127.0.0.1:1", "discord", "main", "2GiB"),
    fc.integer(),
    fc.double(),
    fc.boolean(),
    fc.bigInt(),
    fc.date({ noInvalidDate: false }),
    fc.constant(null),
  );
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof({ maxDepth: 5 }, leaf, fc.array(tie("value"), { maxLength: 3 }), tie("table")),
    table: fc.array(fc.tuple(key, tie("value")), { maxLength: 5 }).map((entries) => Object.fromEntries(entries)),
  }));
  const document = fc.record(
    {
      messaging: fc.dictionary(fc.constantFrom(...platforms, "acme"), value, { maxKeys: 4 }),
      consumers: value,
      bindings: fc.array(fc.dictionary(key, leaf)),
      gateway: value,
      supervisor: value,
      admin: value,
      secrets: value,
      journal: value,
      notify: value,
    },
    { requiredKeys: [] },
  );

  it("never throws, and no key is both valid and invalid", async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(value, document), async (content) => {
        const result = await loadConfig({
          source: { kind: "object", value: content, baseDir },
          environment: {},
        });
        if (!result.ok) assert.ok(result.errors.length > 0);
        else {
          const keys = [...result.config.adapters, ...result.config.invalid].map((adapter) => adapter.key);
          assert.equal(new Set(keys).size, keys.length);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("never throws for any text", async () => {
    await fc.assert(fc.asyncProperty(fc.string({ unit: "binary" }), async (text) => void (await loadText(text))));
  });

  it("reads the same from the same keys in another order", async () => {
    const real = parse(await readFile(path.join(baseDir, "spacebot.toml"), "utf8"), { integersAsBigInt: "asNeeded" });
    await fc.assert(
      fc.asyncProperty(fc.oneof(document, fc.constant(real)), fc.nat(), async (content, seed) => {
        const load = (other: unknown): Promise<LoadResult> =>
          loadConfig({ source: { kind: "object", value: other, baseDir }, environment: {} });
        assert.deepEqual(await load(shuffled(content, seed)), await load(content));
      }),
      { numRuns: 200 },
    );
  });
});

function shuffled(value: unknown, seed: number): unknown {
  if (Array.isArray(value)) return value.map((entry) => shuffled(entry, seed));
  if (typeof value !== "object" || value === null || value instanceof Date) return value;
  const entries = Object.entries(value).map(([key, entry]): [string, unknown] => [key, shuffled(entry, seed)]);
  const cut = entries.length === 0 ? 0 : seed % entries.length;
  return Object.fromEntries([...entries.slice(cut), ...entries.slice(0, cut)].toReversed());
}

describe("loadConfig() of one wrong block", () => {
  it("holds back that key alone", async () => {
    const text = `
[messaging.webhook]
port = "x"
[messaging.webchat]
[[messaging.webhook.instances]]
name = "ops"
port = 18790
`;
    const config = await configOf(text);
    assert.deepEqual(
      config.adapters.map(({ key }) => key),
      ["webhook:ops", "webchat"],
    );
    assert.deepEqual(await invalidOf(text), {
      webhook: ["messaging.webhook.port: found a string, expected a number"],
    });
  });
});
