/** `[messaging.twitch]`. */
import { z } from "zod";
import { definePlatform } from "./platform-table.ts";
import {
  identifiers,
  optionalReference,
  optionalSecret,
  optionalUrl,
  reference,
  referenceFields,
  text,
} from "./schema-parts.ts";

/** Chat tools hand tokens out as `oauth:…`; the API wants them bare. */
const oauthToken = text("user access token, or env:NAME, file:/path, secret:NAME")
  .transform((token) => token.replace(/^oauth:/u, ""))
  .pipe(z.string().min(1))
  .register(referenceFields, { isSecret: true });

/** A channel is its owner's login; anything else would be a line of its own in chat's protocol. */
const channelLogin = z
  .string()
  .transform((channel) => channel.trim().replace(/^#/u, "").toLowerCase())
  .pipe(z.string().regex(/^[a-z0-9_]{1,25}$/u, "a login of 1 to 25 letters, digits and _"));

/** Twitch's keys. */
export const twitchTable = definePlatform({
  platform: "twitch",
  shape: {
    username: reference("the bot's login"),
    oauth_token: oauthToken,
    client_id: optionalReference("application id, to refresh the token"),
    client_secret: optionalSecret("application secret"),
    refresh_token: optionalSecret("refresh token"),
    channels: z.array(channelLogin).default([]).describe("channels to join, with or without #"),
    dm_allowed_users: identifiers("who is heard in the channels; empty: everyone"),
    trigger_prefix: z.string().default("").describe("only messages that begin with it are heard"),
    irc_url: optionalUrl("webSocket", "chat server, ws:// or wss://"),
    id_url: optionalUrl("http", "token server; empty: Twitch's own, none where irc_url is set"),
  },
  credentials: ["username", "oauth_token"],
  environment: {
    username: "TWITCH_BOT_USERNAME",
    oauth_token: "TWITCH_OAUTH_TOKEN",
    client_id: "TWITCH_CLIENT_ID",
    client_secret: "TWITCH_CLIENT_SECRET",
    refresh_token: "TWITCH_REFRESH_TOKEN",
  },
});
