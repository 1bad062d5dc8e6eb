/** `[[consumers]]`, `[[bindings]]` and `[[notify]]`. */
import { z } from "zod";
import { identifier, identifiers, integer, milliseconds, optionalSecret, secret, text } from "./schema-parts.ts";

const longestNameCharacters = 128;

/** One `[[consumers]]` entry. That exactly one of module, url, stream and builtin is there is looked at apart. */
export const consumerSchema = z.strictObject({
  name: z.string().trim().min(1).max(longestNameCharacters),
  module: text("handler module, relative to this file").optional(),
  url: secret("endpoint that messages are posted to").optional(),
  signing_secret: optionalSecret("HMAC secret of the endpoint"),
  stream: z.boolean().optional().describe("true: clients fetch messages over WebSocket or the library"),
  builtin: z.enum(["echo"]).optional(),
  concurrency: integer(1, 100_000).default(16).describe("messages handled at once"),
  threads: integer(1, 256).default(1),
  timeout_ms: milliseconds(1, 30_000),
  max_attempts: integer(1, 1_000_000).default(5),
});

/** One `[[bindings]]` entry. `consumer` and `agent_id` mean the same; that one is there is looked at apart. */
export const bindingSchema = z.strictObject({
  consumer: z.string().trim().min(1).max(longestNameCharacters).optional(),
  agent_id: z.string().trim().min(1).max(longestNameCharacters).optional().describe("the same as consumer"),
  channel: z.string().trim().min(1).describe("platform"),
  adapter: z.string().trim().optional().describe("named instance; empty: the default one"),
  guild_id: identifier().optional(),
  workspace_id: identifier().optional(),
  chat_id: identifier().optional(),
  team_id: identifier().optional(),
  channel_ids: identifiers("empty: all"),
  require_mention: z.boolean().default(false),
  dm_allowed_users: identifiers("added to the adapter's own list"),
  authority: z.array(identifier()).optional().describe("absent: the adapter's own; empty: everyone"),
  settings: z.record(z.string(), z.unknown()).default({}).describe("handed to the consumer as they are"),
});

/** One `[[notify]]` entry. */
export const notifySchema = z.strictObject({ url: secret("endpoint that conditions are posted to") });
