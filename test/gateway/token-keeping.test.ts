/** Tokens that an adapter renews, in a gateway of its own: on disk, known as secrets, and gone with their adapter. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { configuredKeys } from "../../src/gateway/token-keeping.ts";
import { tokenFileName } from "../../src/tokens/token-file-names.ts";
import { patience } from "../conformance/within.ts";
import { TwitchPlatform } from "../emulators/twitch/platform.ts";
import { formsOf } from "../support/secret-forms.ts";
import { GatewayHome, type RunningGateway } from "../support/gateway-fixture.ts";

const consumers = `[gateway]\nlog_level = "debug"\n[[consumers]]\nname = "main"\nmodule = "./handler.mjs"\n`;
const handler = `export default ({ text }, { log }) => log.info("handler-heard", { text });\n`;
const named = "twitch:my bot";

/** The body of a config with the platform's adapter, as the default instance or a named one. */
function configOf(platform: TwitchPlatform, instance: string | null = null): string {
  if (instance === null) return `${consumers}[messaging.twitch]\n${platform.toml}\n`;
  return `${consumers}[[messaging.twitch.instances]]\nname = "${instance}"\n${platform.toml}\n`;
}

function dataPath(home: GatewayHome, name: string): string {
  return join(home.dir, "data", name);
}

function readToken(home: GatewayHome, key: string): Readonly<Record<string, unknown>> {
  return JSON.parse(readFileSync(dataPath(home, tokenFileName(key)), "utf8")) as Record<string, unknown>;
}

async function reload(gateway: RunningGateway): Promise<void> {
  const { status, body } = await gateway.admin("POST", "/v1/reload?wait=30");
  assert.equal(status, 200, JSON.stringify(body));
}

async function stop(gateway: RunningGateway): Promise<void> {
  gateway.signal("SIGTERM");
  assert.equal(await gateway.ended, 0);
}

describe("a token that Twitch gave in place of the configured one", () => {
  it("is kept in a private file, in no log or status, over restarts, until the config has another one", async () => {
    await using platform = await TwitchPlatform.start();
    const { ledger } = platform.service;
    const home = new GatewayHome();
    home.writeFile("handler.mjs", handler);
    home.writeConfig(configOf(platform));
    ledger.revoke(platform.settings.oauthToken);
    const said: string[] = [];
    {
      await using gateway = await home.start();
      await gateway.reached("twitch", "running");
      for (const path of ["/v1/status", "/metrics", "/v1/adapters/twitch/history"])
        said.push(JSON.stringify(await gateway.admin("GET", path)));
      const [refresh] = ledger.refreshes.items;
      // Somebody says it in chat, and then Twitch itself.
      await platform.say({ text: `is it ${refresh?.accessToken}?` });
      const heard = await gateway.logged(({ event }) => event === "handler-heard");
      assert.equal(heard["text"], "is it [redacted]?");
      platform.service.live[0]?.send(`:tmi.twitch.tv NOTICE * :Error logging in with ${refresh?.accessToken}`);
      await gateway.logged(({ event }) => event === "twitch-reconnecting");
      await stop(gateway);
      said.push(...gateway.log.map((line) => JSON.stringify(line)), ...gateway.noise);
    }
    const path = dataPath(home, "twitch_token.json");
    assert.equal(statSync(path).mode & 0o777, 0o600);
    const { access_token: accessToken, refresh_token: refreshToken, configured } = readToken(home, "twitch");
    assert.equal(accessToken, ledger.refreshes.items[0]?.accessToken);
    assert.ok(typeof configured === "string" && !configured.includes(platform.settings.oauthToken));
    for (const secret of [String(accessToken), String(refreshToken)])
      for (const form of formsOf(secret))
        assert.deepEqual(
          said.filter((text) => text.includes(form)).map((text) => text.slice(0, 500)),
          [],
          `as ${form}`,
        );
    {
      await using gateway = await home.start();
      await gateway.reached("twitch", "running");
      assert.equal(ledger.refreshes.items.length, 1, "it was renewed again although one was stored");
      assert.equal(ledger.validations.items.at(-1), accessToken);
      const another = "another0token1in2the3config44";
      ledger.grant(another);
      home.writeConfig(configOf(platform).replace(platform.settings.oauthToken, another));
      await reload(gateway);
      assert.equal(ledger.validations.items.at(-1), another, "the stored token won over the config");
      await stop(gateway);
    }
  });

  it("is got by the next life when one is killed while it waits for it", async () => {
    await using platform = await TwitchPlatform.start();
    const { ledger } = platform.service;
    const home = new GatewayHome();
    home.writeFile("handler.mjs", handler);
    home.writeConfig(
      `${configOf(platform)}[messaging.twitch.supervisor]\nisolation = "process"\nbackoff_min_ms = 50\n`,
    );
    await using gateway = await home.start();
    const { host, generation } = await gateway.reached("twitch", "running");
    platform.service.holdsRefreshes = true;
    ledger.revoke(platform.settings.oauthToken);
    platform.dropConnections();
    await patience.run(40_000, () => platform.service.heldRefreshes.count(1, "a renewal"));
    platform.service.holdsRefreshes = false;
    process.kill(host?.pid ?? 0, "SIGKILL");
    await gateway.reached("twitch", "running", (adapter) => adapter.generation !== generation);
    assert.equal(ledger.refreshes.items.length, 1);
    assert.equal(readToken(home, "twitch")["access_token"], ledger.refreshes.items[0]?.accessToken);
  });

  it("is taken over from an older program under its name, kept while its adapter is switched off, and gone with it", async () => {
    await using platform = await TwitchPlatform.start();
    const { ledger } = platform.service;
    const home = new GatewayHome();
    home.writeFile("handler.mjs", handler);
    home.writeConfig(consumers);
    await using gateway = await home.start();
    const legacy = "of-an-older-program-4711";
    ledger.grant(legacy);
    const older = ["twitch_token_my_bot.json", "twitch_token_my_bot_0123456789abcdef.json"];
    for (const name of older)
      writeFileSync(
        dataPath(home, name),
        JSON.stringify({ access_token: legacy, refresh_token: "r-4711", created_at: "2025-01-01T00:00:00Z" }),
      );
    home.writeConfig(configOf(platform, "my bot"));
    await reload(gateway);
    await gateway.reached(named, "running");
    assert.deepEqual(ledger.validations.items, [legacy]);
    assert.equal(readToken(home, named)["access_token"], legacy);
    assert.ok(!older.some((name) => existsSync(dataPath(home, name))), "the older files are still there");

    home.writeConfig(configOf(platform, "my bot").replace('name = "my bot"', 'name = "my bot"\nenabled = false'));
    await reload(gateway);
    assert.ok(existsSync(dataPath(home, tokenFileName(named))), "it is gone although its adapter is only switched off");

    writeFileSync(dataPath(home, "twitch_token_my_bot.json"), "{}");
    home.writeConfig(consumers);
    await reload(gateway);
    await stop(gateway);
    const left = readdirSync(join(home.dir, "data")).filter((name) => name.startsWith("twitch_token"));
    assert.deepEqual(left, []);
  });
});

describe("configuredKeys()", () => {
  it("names what runs, what is wrong and what is switched off", () => {
    const keys = configuredKeys({
      adapters: [{ key: "twitch" }] as never,
      invalid: [{ key: "twitch:wrong", platform: "twitch", errors: [] }],
      disabledKeys: ["twitch:off"],
    });
    assert.deepEqual([...keys], ["twitch", "twitch:wrong", "twitch:off"]);
  });
});
