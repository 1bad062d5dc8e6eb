/** `[messaging.webchat]`. */
import { z } from "zod";
import { isLoopback } from "./loopback.ts";
import { definePlatform } from "./platform-table.ts";
import { bind, optionalSecret, port } from "./schema-parts.ts";

const origin = z.string().superRefine((value, context) => {
  const url = URL.parse(value);
  if (url === null || url.origin !== value || url.origin === "null")
    context.addIssue({ code: "custom", message: "found a string, expected an origin such as https://example.com" });
});

/** Web chat's keys. */
export const webchatTable = definePlatform({
  platform: "webchat",
  shape: {
    port: port(8788),
    bind: bind(),
    auth_token: optionalSecret("token the page must send"),
    allowed_origins: z.array(origin).default([]).describe("beside the page's own"),
    title: z.string().trim().min(1).max(200).default("Chat"),
    rate_limit_per_sender: z.number().min(0).max(1_000_000).default(5).describe("a second, with a burst of 20; 0: off"),
  },
  rules: [
    {
      needs: ["bind", "auth_token"],
      find: (fields) =>
        !isLoopback(fields.bind) && fields.auth_token === ""
          ? {
              key: "auth_token",
              message: `missing, expected a token because bind is "${fields.bind}", which is not loopback`,
            }
          : null,
    },
  ],
  listensAt: (fields) => ({ host: fields.bind, port: fields.port }),
});
