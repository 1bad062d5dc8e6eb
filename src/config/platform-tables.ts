/** Every built-in platform's table by name. */
import type { Platform } from "../contract/spec.ts";
import { discordTable } from "./discord-schema.ts";
import { emailTable } from "./email-schema.ts";
import type { PlatformTable } from "./platform-table.ts";
import { slackTable } from "./slack-schema.ts";
import { telegramTable } from "./telegram-schema.ts";
import { twitchTable } from "./twitch-schema.ts";
import { webchatTable } from "./webchat-schema.ts";
import { webhookTable } from "./webhook-schema.ts";

/** One entry per platform of ours. */
export const platformTables: Readonly<Record<Platform, PlatformTable>> = {
  discord: discordTable,
  slack: slackTable,
  telegram: telegramTable,
  twitch: twitchTable,
  email: emailTable,
  webhook: webhookTable,
  webchat: webchatTable,
};
