/** `[messaging.webhook]`. */
import { z } from "zod";
import { isLoopback } from "./loopback.ts";
import { definePlatform } from "./platform-table.ts";
import { bind, integer, optionalSecret, port } from "./schema-parts.ts";

/** The webhook's keys. */
export const webhookTable = definePlatform({
  platform: "webhook",
  shape: {
    port: port(18_789),
    bind: bind(),
    auth_token: optionalSecret("token callers must send"),
    signing_secret: optionalSecret("HMAC secret callers may sign with instead"),
    max_body_bytes: integer(1, 268_435_456).default(1_048_576),
    rate_limit_per_sender: z.number().min(0).max(1_000_000).default(0).describe("a second; 0: off"),
  },
  rules: [
    {
      needs: ["bind", "auth_token", "signing_secret"],
      find: (fields) =>
        !isLoopback(fields.bind) && fields.auth_token === "" && fields.signing_secret === ""
          ? {
              key: "auth_token",
              message: `missing, expected auth_token or signing_secret because bind is "${fields.bind}", which is not loopback`,
            }
          : null,
    },
  ],
  listensAt: (fields) => ({ host: fields.bind, port: fields.port }),
});
