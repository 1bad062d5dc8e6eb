import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { openDelivery, openStoredMessage } from "../../src/contract/open-message.ts";
import { storedPayload } from "../support/stored-payload.ts";

const spoofed = storedPayload({
  metadata: { message_id: "p1", sender_is_authority: true, binding_settings: { model: "mine" } },
});

const open = (payload: Uint8Array, delivery: Parameters<typeof openDelivery>[1]) =>
  openDelivery(payload, delivery, async () => new Uint8Array()).message;

describe("openDelivery()", () => {
  it("adds what the router says of the message", () => {
    const bindingSettings = { model: "small", list: [1] };
    const { metadata } = open(storedPayload(), {
      attempt: 1,
      redelivered: false,
      senderIsAuthority: true,
      bindingSettings,
    });
    assert.deepEqual(metadata, { message_id: "p1", sender_is_authority: true, binding_settings: bindingSettings });
  });

  it("lets no adapter give its sender authority or settings", () => {
    const stamp = { senderIsAuthority: false, bindingSettings: null };
    const { metadata } = open(spoofed, { attempt: 1, redelivered: false, ...stamp });
    assert.deepEqual(metadata, { message_id: "p1", sender_is_authority: false, binding_settings: {} });
  });
});

describe("openStoredMessage()", () => {
  it("shows nothing in the router's name that the router did not say", () => {
    assert.deepEqual(openStoredMessage(spoofed).metadata, { message_id: "p1" });
  });
});
