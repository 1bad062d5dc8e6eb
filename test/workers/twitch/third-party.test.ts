/** Against a chat server that nobody here wrote: Debian's ngIRCd, which knows IRC and nothing of Twitch's. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { EmittedMessage } from "../../../src/contract/message.ts";
import type { TwitchSettings } from "../../../src/contract/settings.ts";
import twitch from "../../../workers/twitch/adapter.ts";
import { Observed } from "../../conformance/observed.ts";
import { adapterContext } from "../../support/adapter-context.ts";
import { IrcClient, Ngircd, ngircdSkipReason, ngircdToken } from "../../support/ngircd.ts";

describe("twitch adapter against ngIRCd", { skip: ngircdSkipReason }, () => {
  it("logs in, joins, hears, answers, is pinged and says goodbye", { timeout: 30_000 }, async () => {
    await using server = await Ngircd.start();
    using ann = await IrcClient.join(server.port, "ann", "bridge");
    const heard = new Observed<EmittedMessage>();
    const settings: TwitchSettings = {
      username: "shipbot",
      oauthToken: ngircdToken,
      clientId: "",
      clientSecret: "",
      refreshToken: "",
      channels: ["bridge"],
      ircUrl: server.url,
      idUrl: "",
    };
    const { context } = adapterContext({
      settings,
      policy: { dmAllowedUsers: ["ann"] },
      emit: async (message) => {
        heard.add(message);
        return message.id;
      },
    });
    const adapter = await twitch.start(context);
    try {
      await ann.lines.first((line) => /^:shipbot!\S+ JOIN :?#bridge$/u.test(line), "the bot in the channel");
      ann.send("PRIVMSG #bridge :hello @ShipBot, zażółć 😀");
      const message = await heard.first(({ text }) => text === "hello @ShipBot, zażółć 😀", "a message");
      assert.partialDeepStrictEqual(message, {
        conversation: "bridge",
        sender: { id: "ann", name: "ann" },
        routing: { mentionsBot: true, senderLogin: "ann" },
      });
      ann.send("PRIVMSG #bridge :\u0001ACTION waves\u0001");
      await heard.first(({ text }) => text === "waves", "an action");
      await adapter.probe?.();
      const request = {
        conversation: "bridge",
        response: { kind: "text", text: "/hello\nyourself, ann 😀" },
        replyTo: null,
        idempotencyKey: "k",
        signal: context.signal,
      } as const;
      await adapter.send?.(request);
      await ann.lines.first(
        (line) => /^:shipbot!\S+ PRIVMSG #bridge :\u200B\/hello yourself, ann 😀$/u.test(line),
        "the answer",
      );
    } finally {
      await adapter.stop();
    }
    await ann.lines.first((line) => /^:shipbot!\S+ (?:QUIT|PART)/u.test(line), "the end of the bot");
  });
});
