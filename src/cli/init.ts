/** `bulkhead init`: a config and a handler to begin with. */
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { errnoOf } from "../support/errno.ts";
import { nameConfig } from "./config-file.ts";
import { CommandError, exitCodes, type CommandContext } from "./context.ts";

const configText = `# What connects, and where its messages go. Saving this file is enough: only what changed is touched.
# \`bulkhead check\` finds every error in it, \`bulkhead plan\` says what a save would do, \`bulkhead start\` runs it.

[[consumers]]
name = "main"
module = "./handler.ts"

# For programs: POST /send, then GET /poll/CONVERSATION.
[messaging.webhook]
port = 18789

# For people: a page at http://127.0.0.1:8788
[messaging.webchat]
port = 8788
title = "Chat"

# For chat platforms: take the # away, and set the variables where \`bulkhead start\` runs.
# [messaging.telegram]
# token = "env:TELEGRAM_BOT_TOKEN"
# dm_allowed_users = ["*"]
#
# [messaging.discord]
# token = "env:DISCORD_BOT_TOKEN"
# dm_allowed_users = ["*"]
#
# [messaging.slack]
# bot_token = "env:SLACK_BOT_TOKEN"
# app_token = "env:SLACK_APP_TOKEN"
# dm_allowed_users = ["*"]
#
# [messaging.twitch]
# username = "my_bot"
# oauth_token = "env:TWITCH_OAUTH_TOKEN"
# channels = ["my_channel"]
`;

const handlerText = `/** Returning acknowledges the message and sends the answer; throwing tries again later. */
export default async function handle(message, context) {
  return \`You said: \${message.text}\`;
}
`;

/**
 * Writes the config to the file that the context names, and `handler.ts` beside it unless there is one.
 * @throws {CommandError} failed, when the config is there already or cannot be written: nothing is then changed.
 */
export async function init(context: Pick<CommandContext, "json" | "print" | "source">): Promise<number> {
  const { source } = context;
  if (source.kind !== "file") throw new CommandError(exitCodes.usage, "Cannot write a config without a file's name");
  const handlerPath = path.join(path.dirname(source.path), "handler.ts");
  if (!(await writeNew(source.path, configText)))
    throw new CommandError(exitCodes.failed, `Cannot write ${nameConfig(source)}: the file exists`);
  const isHandlerNew = await writeNew(handlerPath, handlerText);
  if (context.json) {
    context.print(JSON.stringify({ config: source.path, handler: handlerPath, isHandlerNew }, null, 2));
    return exitCodes.done;
  }
  const handlerName = nameConfig({ kind: "file", path: handlerPath });
  context.print(`wrote ${nameConfig(source)}`);
  context.print(isHandlerNew ? `wrote ${handlerName}` : `kept ${handlerName}, which was there`);
  context.print("next: bulkhead start");
  return exitCodes.done;
}

/** Whether it was written: `false` when there is a file of that name. */
async function writeNew(file: string, text: string): Promise<boolean> {
  try {
    await writeFile(file, text, { flag: "wx" });
    return true;
  } catch (reason) {
    if (errnoOf(reason) === "EEXIST") return false;
    throw new CommandError(exitCodes.failed, `Cannot write ${file}: ${(reason as Error).message}`);
  }
}
