import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { GatewayError } from "../../../src/contract/errors.ts";
import { AdapterBench } from "../../conformance/adapter-bench.ts";
import { FakeClock } from "../../conformance/fake-clock.ts";
import { turns } from "../../conformance/within.ts";
import { TwitchPlatform } from "../../emulators/twitch/platform.ts";

const withoutRenewal = { clientId: "", clientSecret: "", refreshToken: "" };

function events(bench: AdapterBench, name: string): readonly Readonly<Record<string, unknown>>[] {
  return bench.ledger.log.items.filter(({ event }) => event === name).map(({ fields }) => fields);
}

/** The token that the newest connection logged in with. */
function tokenInUse(platform: TwitchPlatform): string {
  const lines = platform.service.sessions.items.at(-1)?.lines.items ?? [];
  return lines.find((line) => line.startsWith("PASS "))?.slice("PASS oauth:".length) ?? "";
}

function configuredOf({ settings }: TwitchPlatform): string {
  return JSON.stringify([settings.oauthToken, settings.refreshToken]);
}

describe("twitch adapter's token", () => {
  it("is checked at the start", async () => {
    await using platform = await TwitchPlatform.start();
    await using bench = await AdapterBench.start(platform);
    await bench.hear("hello");
    assert.deepEqual(platform.service.ledger.validations.items, [platform.settings.oauthToken]);
  });

  it("is renewed at four fifths of its life, stored, and used for the next connection", async () => {
    await using platform = await TwitchPlatform.start();
    const { ledger } = platform.service;
    ledger.lifetimeSeconds = 100;
    ledger.grant(platform.settings.oauthToken);
    await using clock = new FakeClock();
    await using bench = await AdapterBench.start(platform);
    await clock.advance(75);
    assert.equal(ledger.refreshes.items.length, 0);
    await clock.advanceUntil(() => bench.ledger.tokens.stored.length > 0, 20);
    const [stored] = bench.ledger.tokens.stored;
    const [refresh] = ledger.refreshes.items;
    assert.equal(refresh?.refreshToken, platform.settings.refreshToken);
    assert.equal(stored?.accessToken, refresh?.accessToken);
    assert.ok(stored?.refreshToken?.startsWith("renewed-refresh-"));
    assert.equal(platform.connections.total, 1, "it reconnected for a token");
    assert.deepEqual(events(bench, "twitch-token-renewed"), [{ expiresInSeconds: 100 }]);
    platform.dropConnections();
    await bench.hear("after a cut");
    assert.equal(tokenInUse(platform), refresh?.accessToken);
    // The next one is renewed with the newer refresh token.
    await clock.advanceUntil(() => ledger.refreshes.items.length > 1, 90);
    assert.equal(ledger.refreshes.items[1]?.refreshToken, stored?.refreshToken);
  });

  it("is renewed when it has expired before the start", async () => {
    await using platform = await TwitchPlatform.start();
    platform.service.ledger.revoke(platform.settings.oauthToken);
    await using bench = await AdapterBench.start(platform);
    assert.equal(tokenInUse(platform), bench.ledger.tokens.stored[0]?.accessToken);
    assert.equal(platform.connections.total, 1, "it tried the expired one");
  });

  it("is renewed once when chat refuses it, whatever the id server says", async () => {
    await using platform = await TwitchPlatform.start();
    await using bench = await AdapterBench.start(platform);
    platform.service.ledger.revoke(platform.settings.oauthToken);
    platform.dropConnections();
    await bench.hear("with another token");
    assert.equal(platform.service.ledger.refreshes.items.length, 1);
    assert.equal(bench.generation, 1);
  });

  it("is what an earlier life was given, as long as the config has not another one", async () => {
    await using platform = await TwitchPlatform.start();
    const stored = { accessToken: "of-an-earlier-life", refreshToken: null, expiresAt: null };
    platform.service.ledger.grant(stored.accessToken);
    await using bench = new AdapterBench(platform);
    bench.ledger.tokens.leave(configuredOf(platform), stored);
    await bench.start();
    assert.equal(tokenInUse(platform), stored.accessToken);
    await bench.stop();
    bench.ledger.tokens.leave(JSON.stringify(["another", ""]), stored);
    await bench.start();
    assert.equal(tokenInUse(platform), platform.settings.oauthToken);
  });

  it("is the one that another life has just been given, where its own is refused", async () => {
    await using platform = await TwitchPlatform.start();
    const { ledger } = platform.service;
    await using bench = await AdapterBench.start(platform);
    ledger.revoke(platform.settings.oauthToken);
    ledger.grant("of-another-life");
    bench.ledger.tokens.leave(configuredOf(platform), {
      accessToken: "of-another-life",
      refreshToken: "r",
      expiresAt: null,
    });
    platform.dropConnections();
    await bench.hear("with its token");
    assert.equal(tokenInUse(platform), "of-another-life");
    assert.deepEqual(ledger.refreshes.items, []);
  });

  it("is not used before it is stored, and used all the same when a full disk lasts", async () => {
    await using platform = await TwitchPlatform.start();
    platform.service.ledger.revoke(platform.settings.oauthToken);
    await using clock = new FakeClock();
    await using bench = new AdapterBench(platform);
    bench.ledger.tokens.failure = new GatewayError("internal", "Cannot store the token file: ENOSPC");
    const start = bench.start();
    start.catch(() => {});
    await platform.service.ledger.refreshes.count(1, "a renewal");
    await turns(50);
    assert.equal(platform.connections.total, 0, "it uses a token that is not stored");
    assert.equal((await clock.outcomeOf(start, 20, "the end of start")).kind, "resolved");
    assert.equal(tokenInUse(platform), platform.service.ledger.refreshes.items[0]?.accessToken);
    assert.match(String(events(bench, "twitch-token-not-stored")[0]?.["error"]), /ENOSPC/u);
  });

  it("is the configured one where what is stored for it is no good any more and cannot be renewed", async () => {
    await using platform = await TwitchPlatform.start();
    await using bench = new AdapterBench(platform);
    const stale = { accessToken: "of-another-program", refreshToken: "long-revoked", expiresAt: null };
    bench.ledger.tokens.leave(configuredOf(platform), stale);
    await bench.start();
    assert.equal(tokenInUse(platform), platform.settings.oauthToken);
    await bench.stop();
    // It has taken the other one's place.
    await bench.start();
    assert.equal(tokenInUse(platform), platform.settings.oauthToken);
    assert.equal(platform.service.ledger.refreshes.items.length, 1);
  });

  it("cannot be had any more when its refresh token is refused: a person must see to it", async () => {
    await using platform = await TwitchPlatform.start();
    const { ledger } = platform.service;
    ledger.revoke(platform.settings.oauthToken);
    ledger.revoke(platform.settings.refreshToken);
    await using bench = new AdapterBench(platform);
    await assert.rejects(bench.start(), (reason: unknown) => {
      const error = GatewayError.from(reason);
      assert.deepEqual([error.code, error.retry], ["unauthorized", { kind: "never" }]);
      assert.match(error.userAction ?? "", /^Re-authorise the bot/u);
      assert.match(error.message, /Invalid refresh token/u);
      return true;
    });
    assert.equal(ledger.refreshes.items.length, 1, "it tries again");
  });

  it("ends a running adapter for good when it is due and its refresh token is refused", async () => {
    await using platform = await TwitchPlatform.start();
    const { ledger } = platform.service;
    ledger.lifetimeSeconds = 100;
    ledger.grant(platform.settings.oauthToken);
    ledger.revoke(platform.settings.refreshToken);
    await using clock = new FakeClock();
    await using bench = await AdapterBench.start(platform);
    assert.ok(await clock.advanceUntil(() => bench.ledger.errors.length > 0, 90));
    assert.equal(GatewayError.from(bench.ledger.errors[0]).code, "unauthorized");
  });

  it("is tried again later and later while the id server is away, and the bot goes on", async () => {
    await using platform = await TwitchPlatform.start();
    const { ledger } = platform.service;
    ledger.lifetimeSeconds = 50;
    ledger.grant(platform.settings.oauthToken);
    await using clock = new FakeClock();
    await using bench = await AdapterBench.start(platform);
    platform.setFault("connect", { kind: "server_error", status: 503, times: 1_000 });
    await clock.advance(85);
    const tries = platform.faultsMet("connect");
    assert.equal(tries, 3, "at 40, 50 and 70 seconds");
    assert.equal(events(bench, "twitch-token-not-renewed").length, tries);
    await bench.hear("still here");
    platform.liftFault("connect");
    assert.ok(await clock.advanceUntil(() => bench.ledger.tokens.stored.length > 0, 200));
  });

  it("is tried in chat when nobody can say whether it is valid", async () => {
    await using platform = await TwitchPlatform.start();
    platform.setFault("connect", { kind: "server_error", status: 500, times: 1 });
    await using bench = await AdapterBench.start(platform);
    await bench.hear("hello");
    assert.equal(events(bench, "twitch-token-not-checked").length, 1);
  });

  it("needs a person when it is refused and nothing is there to renew it with", async () => {
    await using platform = await TwitchPlatform.start(withoutRenewal);
    platform.service.ledger.revoke(platform.settings.oauthToken);
    await using bench = new AdapterBench(platform);
    await assert.rejects(bench.start(), { code: "unauthorized", message: /cannot be renewed/u });
    assert.deepEqual(platform.service.ledger.refreshes.items, []);
  });

  it("must have the scope to read chat, and is warned of without the one to write", async () => {
    await using platform = await TwitchPlatform.start();
    const { ledger } = platform.service;
    ledger.scopes = ["user:read:email"];
    ledger.grant(platform.settings.oauthToken);
    await using bench = new AdapterBench(platform);
    await assert.rejects(bench.start(), { code: "forbidden", message: /chat:read/u });
    ledger.scopes = ["chat:read"];
    ledger.grant(platform.settings.oauthToken);
    await bench.start();
    assert.deepEqual(events(bench, "twitch-scope-missing"), [{ scope: "chat:edit" }]);
  });

  it("is shown to no id server where the chat is another's", async () => {
    await using platform = await TwitchPlatform.start({ idUrl: "" });
    await using bench = await AdapterBench.start(platform);
    await bench.hear("hello");
    assert.deepEqual(platform.service.ledger.validations.items, []);
    assert.deepEqual(events(bench, "twitch-token-not-checked"), [], "it asked Twitch itself");
  });

  it("stays a secret when it was renewed, also where Twitch repeats it", async () => {
    await using platform = await TwitchPlatform.start();
    const { ledger } = platform.service;
    await using bench = await AdapterBench.start(platform);
    ledger.revoke(platform.settings.oauthToken);
    platform.dropConnections();
    await bench.hear("with another token");
    const token = tokenInUse(platform);
    assert.notEqual(token, platform.settings.oauthToken);
    platform.service.live[0]?.send(`:tmi.twitch.tv NOTICE * :Login authentication failed for ${token}`);
    await bench.ledger.signs.count(3, "the end of a connection", ({ kind }) => kind !== "started");
    await bench.hear("once more");
    const said = JSON.stringify([bench.ledger.log.items, bench.ledger.signs.items, bench.ledger.errors.map(String)]);
    assert.ok(said.includes("[redacted]"));
    assert.ok(!said.includes(token));
  });
});
