import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import type { WebchatSettings, WebhookSettings } from "../../src/contract/settings.ts";
import { adapterOf, baseDir, configOf, errorsOf, invalidOf } from "./load-text.ts";

const ownFile = "./messaging.test.ts";

describe("[messaging] of a built-in platform", () => {
  it("gives the webhook its documented defaults", async () => {
    const adapter = await adapterOf("[messaging.webhook]");
    assert.deepEqual(adapter.settings, {
      port: 18_789,
      bind: "127.0.0.1",
      authToken: "",
      signingSecret: "",
      rateLimitPerSender: 0,
    } satisfies WebhookSettings);
    assert.deepEqual(adapter.policy, {
      dmAllowedUsers: [],
      allowBotMessages: false,
      allowedSenders: [],
      triggerPrefix: "",
      maxBodyBytes: 1_048_576,
      maxAttachmentBytes: 10_485_760,
    });
    assert.deepEqual([adapter.moduleUrl, adapter.moduleHash, adapter.secrets, adapter.authority], [null, null, [], []]);
  });

  it("gives web chat its documented defaults", async () => {
    const { settings } = await adapterOf("[messaging.webchat]");
    assert.deepEqual(settings, {
      port: 8788,
      bind: "127.0.0.1",
      authToken: "",
      allowedOrigins: [],
      title: "Chat",
      rateLimitPerSender: 5,
    } satisfies WebchatSettings);
  });

  it("lets a table override [supervisor], an instance by itself", async () => {
    const config = await configOf(`
[supervisor]
memory_limit_mb = 128
[messaging.webhook.supervisor]
isolation = "process"
[[messaging.webhook.instances]]
name = "ops"
port = 1
[messaging.webhook.instances.supervisor]
memory_limit_mb = 64
`);
    const found = config.adapters.map(({ key, supervisor }) => [key, supervisor.memoryLimitMb, supervisor.isolation]);
    assert.deepEqual(found, [
      ["webhook", 128, "process"],
      ["webhook:ops", 64, "auto"],
    ]);
  });

  it("runs only the instances where the root has no credentials", async () => {
    const config = await configOf(`
[messaging.discord]
dm_allowed_users = ["*"]
[[messaging.discord.instances]]
name = "ops"
token = "ops-token"
[messaging.webhook]
[[messaging.webhook.instances]]
name = "a"
port = 0
`);
    assert.deepEqual(
      config.adapters.map(({ key }) => key),
      ["discord:ops", "webhook:a"],
    );
    assert.deepEqual(config.invalid, []);
  });

  it("still reports what is wrong in a root that carries only instances", async () => {
    const text = '[messaging.discord]\ntokn = "x"\n[[messaging.discord.instances]]\nname = "ops"\ntoken = "t"';
    assert.deepEqual(await invalidOf(text), {
      discord: ['messaging.discord.tokn: unknown key, the nearest known key is "token"'],
    });
  });

  it("holds a table without credentials and instances back, naming the variable that would do", async () => {
    assert.deepEqual(await invalidOf("[messaging.discord]\nenabled = true"), {
      discord: [
        "messaging.discord.token: missing, expected a string here or in the environment variable DISCORD_BOT_TOKEN",
      ],
    });
  });

  it("takes a credential that is empty as missing", async () => {
    assert.deepEqual(await invalidOf('[messaging.discord]\ntoken = ""'), {
      discord: ["messaging.discord.token: found an empty string, expected a string"],
    });
  });

  it("takes implicit variables for default keys only, and only where the file is silent", async () => {
    const environment = { DISCORD_BOT_TOKEN: "from-environment" };
    const silent = await adapterOf("[messaging.discord]", { environment });
    assert.equal(silent.settings["token"], "from-environment");
    const loud = await adapterOf('[messaging.discord]\ntoken = "from-file"', { environment });
    assert.equal(loud.settings["token"], "from-file");
    assert.deepEqual(await configOf("", { environment }).then(({ adapters }) => adapters), []);
    const named = await invalidOf('[messaging.discord]\nenabled = false\n[[messaging.discord.instances]]\nname = "a"', {
      environment,
    });
    assert.deepEqual(named, { "discord:a": ["messaging.discord.instances[0].token: missing, expected a string"] });
  });

  it("says of a reference that leads nowhere only that", async () => {
    const text = '[messaging.email]\nimap_host = "env:NONE"\nimap_username = "u"\nimap_password = "p"\nsmtp_host = "s"';
    assert.deepEqual(await invalidOf(`${text}\nimap_use_tls = false`), {
      email: ["messaging.email.imap_host: environment variable NONE is not set"],
    });
  });

  it("does not look into what is switched off, root and instances apart", async () => {
    const config = await configOf(`
[messaging.webhook]
enabled = false
port = "wrong"
[[messaging.webhook.instances]]
name = "on"
[[messaging.webhook.instances]]
name = "off"
enabled = false
`);
    assert.deepEqual(config.disabledKeys, ["webhook", "webhook:off"]);
    assert.deepEqual(
      config.adapters.map(({ key }) => key),
      ["webhook:on"],
    );
  });

  it("keeps a value of the wrong kind, which may be a secret, out of every message", async () => {
    const text = `
[messaging.discord]
token = 8675309
[messaging.email]
imap_password = ["8675309"]
imap_port = "8675309"
imap_use_tls = "8675309"
[messaging.slack]
bot_token = "env:8675309 "
app_token = { value = "8675309" }
[messaging.telegram]
token = "t"
api_url = "http://u:8675309@example.com"
[messaging.webchat]
allowed_origins = ["8675309"]
bind = 8675309
`;
    assert.doesNotMatch(JSON.stringify(await invalidOf(text)), /8675309/u);
  });

  const wrong: readonly (readonly [string, string, string])[] = [
    [
      "a webhook without a token on an open address",
      '[messaging.webhook]\nbind = "0.0.0.0"',
      "webhook.auth_token: missing, expected auth_token or signing_secret",
    ],
    [
      "web chat without a token on an open address",
      '[messaging.webchat]\nbind = "::"',
      "webchat.auth_token: missing, expected a token",
    ],
    ["plain IMAP to another machine", email("imap_use_tls = false"), "email.imap_use_tls: found false, expected true"],
    [
      "plain SMTP to another machine",
      email("smtp_use_starttls = false"),
      "email.smtp_use_starttls: found false, expected true",
    ],
    [
      "plain http to another machine",
      '[messaging.discord]\ntoken = "t"\napi_url = "http://example.com"',
      "discord.api_url: found http:// to example.com",
    ],
    [
      "plain ws to another machine",
      '[messaging.twitch]\nusername = "u"\noauth_token = "t"\nirc_url = "ws://example.com"',
      "twitch.irc_url: found ws:// to example.com",
    ],
    [
      "a Telegram webhook without a secret",
      '[messaging.telegram]\ntoken = "t"\nwebhook_url = "https://example.com"',
      "telegram.webhook_secret: missing",
    ],
    [
      "a bare oauth: prefix",
      '[messaging.twitch]\nusername = "u"\noauth_token = "oauth:"',
      "twitch.oauth_token: found an empty string",
    ],
    [
      "a channel that is no login",
      '[messaging.twitch]\nusername = "u"\noauth_token = "t"\nchannels = ["#Room_1", "no room"]',
      "twitch.channels[1]: found a string, expected a login",
    ],
    [
      "an origin with a path",
      '[messaging.webchat]\nallowed_origins = ["https://a.example/x"]',
      "webchat.allowed_origins[0]: found a string, expected an origin",
    ],
    [
      "a port beyond the last",
      "[messaging.webhook]\nport = 70000",
      "webhook.port: found 70000, expected at most 65535",
    ],
    [
      "a fraction of an id",
      '[messaging.discord]\ntoken = "t"\ndm_allowed_users = [1.5]',
      "discord.dm_allowed_users[0]: found a number, expected a string or an integer",
    ],
    [
      "an unknown key of the supervisor",
      "[messaging.webhook.supervisor]\nstandy = true",
      'webhook.supervisor.standy: unknown key, the nearest known key is "standby"',
    ],
    [
      "a backoff that the override turns round",
      "[messaging.webhook.supervisor]\nbackoff_max_ms = 10",
      "webhook.supervisor.backoff_min_ms: found 1000",
    ],
    [
      "an enabled that is no boolean",
      '[messaging.webhook]\nenabled = "no"',
      "webhook.enabled: found a string, expected a boolean",
    ],
    ["a table that is none", "[messaging]\nwebhook = 3", "webhook: found a number, expected a table"],
    [
      "instances that are one table",
      "[messaging.webhook.instances]\nname = 'a'",
      "webhook.instances: found a table, expected tables: [[messaging.webhook.instances]]",
    ],
  ];
  for (const [title, text, message] of wrong) {
    it(`refuses ${title}`, async () => {
      const { invalid } = await configOf(text);
      const found = invalid.flatMap(({ errors }) => errors.map((error) => `${error.path}: ${error.message}`));
      assert.equal(found.length, 1, found.join("\n"));
      assert.ok(found[0]?.startsWith(`messaging.${message}`), found.join("\n"));
    });
  }

  const right: readonly (readonly [string, string])[] = [
    [
      "a webhook with a signing secret on an open address",
      '[messaging.webhook]\nbind = "0.0.0.0"\nsigning_secret = "s"',
    ],
    ["a webhook on [::1]", '[messaging.webhook]\nbind = "[::1]"'],
    [
      "plain IMAP and SMTP to loopback",
      '[messaging.email]\nimap_host = "127.0.0.2"\nimap_username = "u"\nimap_password = "p"\nsmtp_host = "localhost"\nimap_use_tls = false\nsmtp_use_starttls = false',
    ],
    [
      "an access token instead of a mail password",
      '[messaging.email]\nimap_host = "i"\nimap_username = "u"\noauth2_access_token = "a"\nsmtp_host = "s"',
    ],
    [
      "plain http and ws to loopback",
      '[messaging.twitch]\nusername = "u"\noauth_token = "t"\nirc_url = "ws://127.0.0.1:1"\nid_url = "http://localhost:2"',
    ],
    ["Slack's HTTP mode", '[messaging.slack]\nbot_token = "b"\nsigning_secret = "s"'],
  ];
  for (const [title, text] of right) {
    it(`takes ${title}`, async () => {
      await adapterOf(text);
    });
  }
});

function email(line: string): string {
  return `[messaging.email]\nimap_host = "i.example"\nimap_username = "u"\nimap_password = "p"\nsmtp_host = "s.example"\n${line}`;
}

describe("[messaging] where two adapters listen", () => {
  it("refuses the later one of a place, naming the holder", async () => {
    const text =
      '[messaging.webchat]\nport = 18789\n[messaging.webhook]\nport = 18789\n[[messaging.webhook.instances]]\nname = "b"\nbind = "localhost"';
    assert.deepEqual(await invalidOf(text), {
      "webhook:b": [
        "messaging.webhook.instances[0].port: found 18789, which webhook listens on at 127.0.0.1, expected a port of its own",
      ],
      webchat: [
        "messaging.webchat.port: found 18789, which webhook listens on at 127.0.0.1, expected a port of its own",
      ],
    });
  });

  it("keeps the admin API's place for it", async () => {
    const invalid = await invalidOf("[messaging.webchat]\nport = 8787");
    assert.match(invalid["webchat"]?.[0] ?? "", /which admin\.listen listens on/u);
  });

  it("counts a Slack or Telegram adapter only when it listens", async () => {
    const slack = '[messaging.slack]\nbot_token = "b"\nport = 18789\n';
    assert.deepEqual(await invalidOf(`${slack}app_token = "a"\n[messaging.webhook]`), {});
    assert.deepEqual(Object.keys(await invalidOf(`${slack}signing_secret = "s"\n[messaging.webhook]`)), ["webhook"]);
  });
});

describe("[messaging] of a third party", () => {
  it("has its module's URL and hash, its settings as written and every resolved reference as a secret", async () => {
    const text = `
[messaging.acme]
module = "${ownFile}"
enabled = true
authority = [7]
[messaging.acme.settings]
api_key = "env:ACME_KEY"
nested = [{ deep = "env:ACME_OTHER", plain = "x" }]
when = 2024-01-02T03:04:05Z
`;
    const adapter = await adapterOf(text, { environment: { ACME_KEY: "key-1", ACME_OTHER: "key-2" } });
    const file = path.join(baseDir, ownFile);
    assert.equal(adapter.moduleUrl, pathToFileURL(file).href);
    assert.equal(
      adapter.moduleHash,
      createHash("sha256")
        .update(await readFile(file))
        .digest("hex"),
    );
    assert.deepEqual(adapter.settings, {
      api_key: "key-1",
      nested: [{ deep: "key-2", plain: "x" }],
      when: "2024-01-02T03:04:05.000Z",
    });
    assert.deepEqual(adapter.secrets, ["key-1", "key-2"]);
    assert.deepEqual([adapter.key, adapter.platform, adapter.authority], ["acme", "acme", ["7"]]);
  });

  it("gives instances their platform's module, and runs no default for a root that has only that", async () => {
    const config = await configOf(`[messaging.acme]\nmodule = "${ownFile}"\n[[messaging.acme.instances]]\nname = "a"`);
    assert.deepEqual(
      config.adapters.map(({ key, moduleUrl }) => [key, moduleUrl]),
      [["acme:a", pathToFileURL(path.join(baseDir, ownFile)).href]],
    );
  });

  it("holds back a module that is missing, a reference that leads nowhere and an unknown key", async () => {
    const text =
      '[messaging.acme]\nmodule = "./absent.ts"\nsettngs = 1\n[messaging.acme.settings]\nlist = ["env:NONE"]';
    assert.deepEqual(await invalidOf(text), {
      acme: [
        `messaging.acme.module: module ${path.join(baseDir, "absent.ts")} cannot be read: no such file`,
        'messaging.acme.settngs: unknown key, the nearest known key is "settings"',
        "messaging.acme.settings.list[0]: environment variable NONE is not set",
      ],
    });
  });

  it("holds back a right module with a wrong key beside it", async () => {
    assert.deepEqual(Object.keys(await invalidOf(`[messaging.acme]\nmodule = "${ownFile}"\nmodul = 1`)), ["acme"]);
  });

  it("comes after ours, by name, in whatever order the file has them", async () => {
    const tables = ["zeta", "acme"].map((name) => `[messaging.${name}]\nmodule = "${ownFile}"\n`);
    for (const text of [tables.join(""), tables.toReversed().join("")]) {
      const { adapters } = await configOf(`${text}[messaging.webhook]`);
      assert.deepEqual(
        adapters.map(({ key }) => key),
        ["webhook", "acme", "zeta"],
      );
    }
  });

  it("refuses a table of an unknown name without a module, and a name that can be no platform", async () => {
    assert.deepEqual(await errorsOf('[messaging.acme]\ntoken = "t"'), [
      "1 messaging.acme: unknown platform, expected one of discord, slack, telegram, twitch, email, webhook, webchat; an adapter of your own needs the key module",
    ]);
    const errors = await errorsOf(`[messaging.toString]\nmodule = "${ownFile}"\n[messaging."a:b"]\nmodule = "x"`);
    assert.deepEqual(
      errors.map((error) => error.split(":")[0]),
      ["1 messaging.toString", '3 messaging."a'],
    );
  });
});
