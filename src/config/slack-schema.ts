/** `[messaging.slack]`: socket mode with an app token, or HTTP mode with a signing secret. */
import { z } from "zod";
import { definePlatform } from "./platform-table.ts";
import { bind, identifiers, optionalSecret, optionalUrl, port, secret } from "./schema-parts.ts";

/** Slack's keys. A signing secret means HTTP mode, also where an app token is there. */
export const slackTable = definePlatform({
  platform: "slack",
  shape: {
    bot_token: secret("bot token"),
    app_token: optionalSecret("app token, for socket mode"),
    signing_secret: optionalSecret("signing secret, for HTTP mode"),
    port: port(3000),
    bind: bind(),
    api_url: optionalUrl("http", "Web API base, such as http://127.0.0.1:9001/api/"),
    dm_allowed_users: identifiers('who may write direct messages; empty: nobody, ["*"]: everyone'),
    catch_up: z.boolean().default(true).describe("fetch what was missed while disconnected"),
  },
  credentials: ["bot_token", "app_token", "signing_secret"],
  environment: { bot_token: "SLACK_BOT_TOKEN", app_token: "SLACK_APP_TOKEN" },
  rules: [
    {
      needs: ["app_token", "signing_secret"],
      find: (fields) =>
        fields.app_token === "" && fields.signing_secret === ""
          ? { key: "app_token", message: "missing, expected app_token (socket mode) or signing_secret (HTTP mode)" }
          : null,
    },
  ],
  listensAt: (fields) => (fields.signing_secret === "" ? null : { host: fields.bind, port: fields.port }),
});
