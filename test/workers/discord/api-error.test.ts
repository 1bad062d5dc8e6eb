import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inspect } from "node:util";
import { DiscordAPIError, HTTPError, RateLimitError } from "discord.js";
import { toGatewayError } from "../../../workers/discord/api-error.ts";
import { fatalClose } from "../../../workers/discord/close-code.ts";

const secretUrl = "https://discord.com/api/v10/webhooks/1/planted-interaction-token";

describe("toGatewayError()", () => {
  const rows: readonly (readonly [status: number, discordCode: number, wanted: string])[] = [
    [400, 50_035, "message_rejected"],
    [400, 10_014, "message_rejected"],
    [401, 0, "unauthorized"],
    [403, 50_013, "forbidden"],
    [404, 10_003, "not_found"],
    [409, 0, "conflict"],
    [413, 40_005, "too_large"],
  ];
  for (const [status, discordCode, wanted] of rows)
    it(`calls ${status} (${discordCode}) ${wanted}, for good`, () => {
      const error = toGatewayError(apiError(status, discordCode), "post the message");
      assert.deepEqual([error.code, error.retry.kind], [wanted, "never"]);
    });

  it("names the fields that Discord refuses", () => {
    const errors = {
      embeds: { 0: { title: { _errors: [{ code: "BASE_TYPE_MAX_LENGTH", message: "Must be 256" }] } } },
    };
    const raw = { code: 50_035, message: "Invalid Form Body", errors };
    const error = toGatewayError(new DiscordAPIError(raw, 50_035, 400, "POST", secretUrl, {}), "post the message");
    assert.match(error.message, /embeds\[0\]\.title/u);
  });

  it("passes on how long to wait", () => {
    const error = toGatewayError(
      new RateLimitError({
        timeToReset: 10,
        limit: 5,
        method: "POST",
        hash: "",
        url: secretUrl,
        route: "",
        majorParameter: "",
        global: false,
        retryAfter: 3_000,
        sublimitTimeout: 0,
        scope: "user",
      }),
      "post the message",
    );
    assert.deepEqual(error.retry, { kind: "after", delayMs: 3_000 });
  });

  it("has what passes by itself tried again", () => {
    const reasons = [
      new HTTPError(503, "Service Unavailable", "POST", secretUrl, {}),
      Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" }),
      new DOMException("This operation was aborted", "AbortError"),
      new TypeError("x is not iterable"),
      "a text",
    ];
    for (const reason of reasons) {
      const error = toGatewayError(reason, "post the message");
      assert.deepEqual([error.code, error.retry.kind], ["platform_unavailable", "backoff"]);
    }
  });

  it("takes a page of the network in between for an outage, not for a verdict", () => {
    const page = new DiscordAPIError({ error: "x" }, "x", 403, "GET", secretUrl, {});
    assert.equal(toGatewayError(page, "find out who the bot is").code, "platform_unavailable");
  });

  it("keeps addresses and bodies to itself", () => {
    const error = toGatewayError(apiError(400, 50_035), "answer the interaction");
    assert.ok(!inspect(error, { depth: 5, showHidden: true }).includes("planted-interaction-token"));
  });
});

describe("fatalClose()", () => {
  it("ends for good only what another connection cannot mend", () => {
    for (const code of [1000, 1006, 4000, 4001, 4002, 4003, 4005, 4007, 4008, 4009])
      assert.equal(fatalClose(code), null);
    for (const code of [4004, 4010, 4011, 4012, 4013, 4014]) {
      const error = fatalClose(code);
      assert.equal(error?.retry.kind, "never");
      assert.ok((error?.userAction ?? "").length > 10);
    }
  });
});

function apiError(status: number, code: number): DiscordAPIError {
  return new DiscordAPIError({ code, message: "No" }, code, status, "POST", secretUrl, { body: { content: "x" } });
}
