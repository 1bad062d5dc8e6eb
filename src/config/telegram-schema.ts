/** `[messaging.telegram]`: long polling, or a webhook where `webhook_url` is set. */
import { definePlatform } from "./platform-table.ts";
import { bind, identifiers, optionalSecret, optionalUrl, port, secret } from "./schema-parts.ts";

/** Telegram's keys. */
export const telegramTable = definePlatform({
  platform: "telegram",
  shape: {
    token: secret("bot token"),
    api_url: optionalUrl("http", "Bot API base"),
    webhook_url: optionalUrl("http", "public URL of the webhook; empty: long polling"),
    webhook_secret: optionalSecret("what Telegram must send along with each webhook call"),
    port: port(8443),
    bind: bind(),
    dm_allowed_users: identifiers('who may write direct messages; empty: nobody, ["*"]: everyone'),
  },
  credentials: ["token"],
  environment: { token: "TELEGRAM_BOT_TOKEN" },
  rules: [
    {
      needs: ["webhook_url", "webhook_secret"],
      find: (fields) =>
        fields.webhook_url !== "" && fields.webhook_secret === ""
          ? { key: "webhook_secret", message: "missing, expected a secret because webhook_url is set" }
          : null,
    },
  ],
  listensAt: (fields) => (fields.webhook_url === "" ? null : { host: fields.bind, port: fields.port }),
});
