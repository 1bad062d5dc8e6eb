import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { GatewayError } from "../../../src/contract/errors.ts";
import { Credentials } from "../../../workers/twitch/credentials.ts";
import type { IdServer, TokenFacts } from "../../../workers/twitch/id-server.ts";
import { FakeTimers } from "../../conformance/fake-timers.ts";
import { turns } from "../../conformance/within.ts";
import { adapterContext, MemoryTokenKeeper } from "../../support/adapter-context.ts";

const hourMs = 3_600_000;
const settings = {
  username: "shipbot",
  oauthToken: "configured",
  clientId: "client",
  clientSecret: "secret",
  refreshToken: "refresh",
  channels: [],
  ircUrl: "",
  idUrl: "",
};
const facts: TokenFacts = { login: "shipbot", scopes: ["chat:read", "chat:edit"], expiresInMs: 4 * hourMs };

/** Credentials over an id server that answers at once, and what that was asked. */
async function credentialsFixture(options: { readonly hasMeans?: boolean; readonly expiresInMs?: number | null } = {}) {
  const asked: string[] = [];
  const state: { failure: GatewayError | null } = { failure: null };
  const ids: Pick<IdServer, "validate" | "refresh"> = {
    async validate(token) {
      asked.push(`validate ${token}`);
      if (state.failure !== null) throw state.failure;
      return { ...facts, expiresInMs: options.expiresInMs === undefined ? facts.expiresInMs : options.expiresInMs };
    },
    async refresh({ refreshToken }) {
      asked.push(`refresh ${refreshToken}`);
      if (state.failure !== null) throw state.failure;
      return { accessToken: `renewed-${asked.length}`, refreshToken: null, expiresInMs: 4 * hourMs };
    },
  };
  const { context } = adapterContext({ settings });
  const keeper = new MemoryTokenKeeper();
  const credentials = await Credentials.open({
    settings: options.hasMeans === false ? { ...settings, clientSecret: "" } : settings,
    keeper,
    ids,
    learn: () => {},
    log: context.log,
  });
  await credentials.check(context.signal);
  credentials.watch();
  return { credentials, asked, state, keeper };
}

describe("Credentials", () => {
  it("checks its token every hour, and renews it when four fifths of its life are over", async () => {
    using timers = new FakeTimers();
    const { credentials, asked } = await credentialsFixture();
    const hours: number[] = [];
    for (let minute = 1; minute <= 200; minute += 1) {
      timers.tick(60_000);
      await turns(3);
      while (hours.length < asked.length - 1) hours.push(minute);
    }
    // Of four hours, though each look says that less and less is left.
    assert.deepEqual(hours, [60, 120, 180, 192]);
    assert.deepEqual(asked.slice(3), ["validate configured", "refresh refresh"]);
    assert.equal(credentials.accessToken, "renewed-5");
    await credentials[Symbol.asyncDispose]();
  });

  it("leaves a token alone that is due and cannot be renewed, until it is refused", async () => {
    using timers = new FakeTimers();
    const { credentials, asked, state } = await credentialsFixture({ hasMeans: false, expiresInMs: 60_000 });
    for (let minute = 0; minute < 59; minute += 1) {
      timers.tick(60_000);
      await turns(3);
    }
    assert.equal(asked.length, 1, "it asks again and again");
    state.failure = new GatewayError("unauthorized", "not valid");
    timers.tick(60_000);
    await assert.rejects(credentials.failed, { code: "unauthorized", message: /cannot be renewed/u });
    await credentials[Symbol.asyncDispose]();
  });

  it("never asks for the renewal of a token that does not expire", async () => {
    using timers = new FakeTimers();
    const { credentials, asked } = await credentialsFixture({ expiresInMs: null });
    for (let hour = 0; hour < 100; hour += 1) {
      timers.tick(hourMs);
      await turns(3);
    }
    assert.equal(asked.length, 101);
    assert.ok(asked.every((each) => each === "validate configured"));
    await credentials[Symbol.asyncDispose]();
  });

  it("asks once for two that are refused the same token, and not at all for one that was replaced", async () => {
    const { credentials, asked } = await credentialsFixture();
    const { signal } = new AbortController();
    await Promise.all([credentials.renew("configured", signal), credentials.renew("configured", signal)]);
    await credentials.renew("configured", signal);
    assert.deepEqual(asked.slice(1), ["refresh refresh"]);
    await credentials[Symbol.asyncDispose]();
  });

  it("does not renew again what was renewed and could not be stored", async () => {
    using timers = new FakeTimers();
    const { credentials, asked, keeper } = await credentialsFixture();
    keeper.failure = new GatewayError("internal", "Cannot store the token file: ENOSPC");
    const { signal } = new AbortController();
    const renewal = credentials.renew("configured", signal);
    for (let second = 0; second < 10; second += 1) {
      await turns(3);
      timers.tick(1_000);
    }
    await renewal;
    await credentials.renew("configured", signal);
    assert.deepEqual(asked.slice(1), ["refresh refresh"]);
    await credentials[Symbol.asyncDispose]();
  });

  it("looks no more when it is disposed of", async () => {
    using timers = new FakeTimers();
    const { credentials, asked } = await credentialsFixture();
    await credentials[Symbol.asyncDispose]();
    timers.tick(10 * hourMs);
    await turns(3);
    assert.equal(asked.length, 1);
  });
});
