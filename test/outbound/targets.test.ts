import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { formatTarget, parseTarget } from "../../src/outbound/targets.ts";

const configured = new Set(
  "webhook discord discord:ops telegram:alerts slack:dm slack twitch:live email webchat:a webchat:b".split(" "),
);

describe("parseTarget()", () => {
  const accepted: readonly (readonly [title: string, text: string, key: string, conversation: string])[] = [
    ["the default adapter", "webhook/conv1", "webhook", "conv1"],
    ["a named adapter", "discord:ops/123", "discord:ops", "123"],
    ["an address with colons", "discord/dm:42", "discord", "dm:42"],
    ["an address with slashes, split at the first", "webhook/a/b", "webhook", "a/b"],
    ["a platform with one adapter", "webhook:conv1", "webhook", "conv1"],
    ["a platform whose only adapter is a named one", "telegram:-100123", "telegram:alerts", "-100123"],
    ["a platform and instance", "discord:ops:123", "discord:ops", "123"],
    ["a platform's target with a slash in it", "webhook:a b/c", "webhook", "a b/c"],
    ["the platform written twice", "telegram:telegram:alerts:-100123", "telegram:alerts", "-100123"],
    ["a guild before its channel", "discord:ops:111:222", "discord:ops", "222"],
    ["a thread of a workspace's channel", "slack/C01#thread:1.2", "slack", "C01#thread:1.2"],
    ["a channel with its hash", "twitch:live:#Room", "twitch:live", "room"],
    ["a mailbox with a name", 'email:"Ann, B." <ann@b.example>', "email", "ann@b.example"],
    ["a mailbox without", "email:ann@b.example", "email", "ann@b.example"],
  ];
  for (const [title, text, key, conversation] of accepted)
    it(`reads ${title}: ${text}`, () => assert.deepEqual(parseTarget(text, configured), { key, conversation }));

  const refused: readonly (readonly [title: string, text: string, code: string, message: RegExp])[] = [
    [
      "lists the candidates of an ambiguous platform",
      "discord:123",
      "invalid_request",
      /discord\/123 or discord:ops\/123/u,
    ],
    [
      "lists the candidates of a guild's channel",
      "discord:111:222",
      "invalid_request",
      /discord\/222 or discord:ops\/222/u,
    ],
    ["lists the named ones too", "webchat:1", "invalid_request", /webchat:a\/1 or webchat:b\/1/u],
    ["never takes dm for an instance alone", "slack:dm:U1", "invalid_request", /slack:dm\/U1 or slack\/dm:U1/u],
    ["does not know an adapter that is not configured", "acme/room", "not_found", /no adapter "acme"/u],
    [
      "does not take a missing instance for an address",
      "webhook:nope/conv1",
      "not_found",
      /no adapter "webhook:nope"/u,
    ],
    ["does not take one for a channel either", "telegram:nope/-100", "not_found", /no adapter "telegram:nope"/u],
    ["does not guess for a platform that is not configured", "acme:room", "invalid_request", /names no configured/u],
    ["asks for an address", "webhook/", "invalid_request", /0 characters/u],
    ["bounds the address", `webhook/${"x".repeat(513)}`, "invalid_request", /513 characters/u],
    ["names what is configured", "hello", "invalid_request", /discord, discord:ops, email/u],
  ];
  for (const [title, text, code, message] of refused)
    it(title, () => assert.throws(() => parseTarget(text, configured), { code, message }));

  it("reads back whatever formatTarget() writes", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...configured),
        fc.string({ minLength: 1, maxLength: 512, unit: "binary-ascii" }),
        (key, conversation) => {
          assert.deepEqual(parseTarget(formatTarget({ key, conversation }), configured), { key, conversation });
        },
      ),
    );
  });

  it("names a configured adapter or refuses, whatever the text", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), (text) => {
        try {
          assert.ok(configured.has(parseTarget(text, configured).key));
        } catch (reason) {
          assert.match((reason as { code: string }).code, /^(?:invalid_request|not_found)$/u);
        }
      }),
    );
  });
});
