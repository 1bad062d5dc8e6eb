/** Why Discord's gateway closed a connection, and whether another one can be better. Pure. */
import { GatewayCloseCodes } from "discord.js";
import { GatewayError } from "../../src/contract/errors.ts";
import { tokenAction } from "./api-error.ts";

const shardingAction = "Use a bot that is in fewer guilds: one adapter keeps one connection";

/** What no further connection can change. {@link https://discord.com/developers/docs/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes} */
const fatal: ReadonlyMap<number, { readonly found: string; readonly userAction: string }> = new Map([
  [
    GatewayCloseCodes.DisallowedIntents,
    {
      found: "the bot may not read what messages say",
      userAction: "Enable the privileged intents (Message Content) in the Discord developer portal",
    },
  ],
  [
    GatewayCloseCodes.InvalidIntents,
    {
      found: "Discord does not know the intents asked for",
      userAction: "Enable the privileged intents in the Discord developer portal, or update the gateway",
    },
  ],
  [GatewayCloseCodes.ShardingRequired, { found: "Discord wants several shards", userAction: shardingAction }],
  [GatewayCloseCodes.InvalidShard, { found: "Discord wants several shards", userAction: shardingAction }],
  [
    GatewayCloseCodes.InvalidAPIVersion,
    { found: "Discord no longer speaks version 10 of its API", userAction: "Update the gateway" },
  ],
]);
const refusedToken: number = GatewayCloseCodes.AuthenticationFailed;
const invalidSequence: number = GatewayCloseCodes.InvalidSeq;

/** What a person must know and do; `null`: connecting again may help. */
export function fatalClose(code: number): GatewayError | null {
  if (code === refusedToken)
    return new GatewayError("unauthorized", `Cannot connect: Discord's gateway refused the token (${code})`, {
      userAction: tokenAction,
    });
  const problem = fatal.get(code);
  if (problem === undefined) return null;
  return new GatewayError("forbidden", `Cannot connect: ${problem.found} (${code})`, {
    userAction: problem.userAction,
  });
}

/** After this the session is gone, and resuming it would only be refused. */
export function endsSession(code: number): boolean {
  return code === invalidSequence;
}
