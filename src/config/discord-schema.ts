/** `[messaging.discord]`. */
import { z } from "zod";
import { definePlatform } from "./platform-table.ts";
import { identifiers, optionalUrl, secret } from "./schema-parts.ts";

/** Discord's keys. */
export const discordTable = definePlatform({
  platform: "discord",
  shape: {
    token: secret("bot token"),
    api_url: optionalUrl("http", "REST base, such as http://127.0.0.1:9000/api"),
    dm_allowed_users: identifiers('who may write direct messages; empty: nobody, ["*"]: everyone'),
    allow_bot_messages: z.boolean().default(false).describe("hear other bots"),
    catch_up: z.boolean().default(true).describe("fetch what was missed while disconnected"),
  },
  credentials: ["token"],
  environment: { token: "DISCORD_BOT_TOKEN" },
});
