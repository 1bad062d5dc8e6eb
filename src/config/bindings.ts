/** `[[bindings]]`: which messages go to which consumer. */
import { z } from "zod";
import type { Binding } from "../contract/spec.ts";
import { bindingSchema } from "./consumer-schema.ts";
import { joinPath, zodIssues, type Issue } from "./issue.ts";
import { nearestKey } from "./nearest-key.ts";
import { isTable } from "./plain-value.ts";

/** A binding with its place in the file, and the key that names its consumer there. */
export type PlacedBinding = {
  readonly binding: Binding;
  readonly path: string;
  readonly consumerKey: "consumer" | "agent_id";
};

/** What `[[bindings]]` comes to. */
export type BindingsResult = { readonly bindings: readonly PlacedBinding[]; readonly issues: readonly Issue[] };

const listPath = "bindings";
const listSchema = z.array(bindingSchema).default([]);

/** Reads `[[bindings]]`; every error in it stops the config as a whole. */
export function readBindings(value: unknown): BindingsResult {
  const entries: readonly unknown[] = Array.isArray(value) ? value : [];
  const parsed = listSchema.safeParse(value, { reportInput: true });
  const issues = parsed.success ? [] : zodIssues(parsed.error, listSchema, listPath);
  // One by one, so that a wrong entry does not hide where the right ones lead.
  const bindings = entries.flatMap((entry, index): readonly PlacedBinding[] => {
    const fields = bindingSchema.safeParse(entry);
    if (!fields.success) return [];
    const consumerKey = fields.data.consumer === undefined ? "agent_id" : "consumer";
    const name = fields.data[consumerKey];
    if (name === undefined) return [];
    return [{ binding: toBinding(fields.data, name), path: joinPath(listPath, index), consumerKey }];
  });
  return { bindings, issues: [...issues, ...entries.flatMap(consumerNameIssues)] };
}

/** A binding to a consumer that is not among `names`, which the config lists. */
export function unknownConsumerIssues(bindings: readonly PlacedBinding[], names: readonly string[]): readonly Issue[] {
  return bindings
    .filter(({ binding }) => !names.includes(binding.consumer))
    .map(({ binding, path, consumerKey }) => ({
      path: joinPath(path, consumerKey),
      message: unknownConsumerMessage(binding.consumer, names),
    }));
}

/** `found "mian", expected …`. */
export function unknownConsumerMessage(name: string, names: readonly string[]): string {
  const nearest = nearestKey(name, names);
  const hint = nearest === null ? names.map((known) => JSON.stringify(known)).join(", ") : JSON.stringify(nearest);
  return `found consumer ${JSON.stringify(name)}, which is not configured, expected ${hint}`;
}

/** Bindings whose adapter can get messages, and an issue for each one that is left out. */
export function splitBindings(
  bindings: readonly PlacedBinding[],
  knownKeys: ReadonlySet<string>,
  disabledKeys: ReadonlySet<string>,
): { readonly bindings: readonly Binding[]; readonly skipped: readonly Issue[] } {
  const kept: Binding[] = [];
  const skipped: Issue[] = [];
  for (const { binding, path } of bindings) {
    const key = binding.adapter === null ? binding.channel : `${binding.channel}:${binding.adapter}`;
    if (knownKeys.has(key)) kept.push(binding);
    else {
      const state = disabledKeys.has(key) ? "is switched off" : "is not configured";
      skipped.push({ path, message: `skipped: the adapter ${JSON.stringify(key)} ${state}` });
    }
  }
  return { bindings: kept, skipped };
}

function consumerNameIssues(entry: unknown, index: number): readonly Issue[] {
  if (!isTable(entry)) return [];
  const path = joinPath(listPath, index, "consumer");
  const { consumer, agent_id: agentId } = entry;
  if (consumer === undefined && agentId === undefined)
    return [{ path, message: "missing, expected the name of a consumer" }];
  if (consumer !== undefined && agentId !== undefined && consumer !== agentId)
    return [{ path, message: "found another name than agent_id, expected one of the two keys" }];
  return [];
}

/** A Twitch channel is its owner's login in small letters, and `#Room` is written as often as `room`. */
function twitchChannel(channel: string): string {
  return channel.replace(/^#/u, "").toLowerCase();
}

function toBinding(fields: z.output<typeof bindingSchema>, consumer: string): Binding {
  return {
    consumer,
    channel: fields.channel,
    adapter: fields.adapter === undefined || fields.adapter === "" ? null : fields.adapter,
    guildId: fields.guild_id ?? null,
    workspaceId: fields.workspace_id ?? null,
    chatId: fields.chat_id ?? null,
    teamId: fields.team_id ?? null,
    channelIds: fields.channel === "twitch" ? fields.channel_ids.map(twitchChannel) : fields.channel_ids,
    requireMention: fields.require_mention,
    dmAllowedUsers: fields.dm_allowed_users,
    authority: fields.authority ?? null,
    settings: fields.settings,
  };
}
