/** Slash commands, buttons and selects as ours. Pure. */
import { ApplicationCommandOptionType, InteractionType } from "discord.js";
import type { CommandDeclaration } from "../../src/contract/command.ts";
import { childOf, childrenOf, idOf, numberOf, textOf, textsOf, type Payload } from "./payload.ts";
import {
  conversationOf,
  displayName,
  placeMetadata,
  placeOf,
  routingOf,
  type Candidate,
  type Surroundings,
} from "./translate-message.ts";

/** What kind of interaction it is, and its secret to answer with. */
export type InteractionHead = {
  readonly id: string;
  readonly token: string;
  readonly applicationId: string;
  readonly kind: "command" | "component" | "autocomplete";
  /** The command's name; `""` for a component. */
  readonly commandName: string;
};

const kinds: ReadonlyMap<number, InteractionHead["kind"]> = new Map([
  [InteractionType.ApplicationCommand, "command"],
  [InteractionType.MessageComponent, "component"],
  [InteractionType.ApplicationCommandAutocomplete, "autocomplete"],
]);
const mostSuggestions = 25;

/** `null` for a kind that we never offer, such as a form. */
export function readHead(data: Payload): InteractionHead | null {
  const id = idOf(data, "id");
  const applicationId = idOf(data, "application_id");
  const token = textOf(data, "token");
  const kind = kinds.get(numberOf(data, "type") ?? 0);
  if (id === null || applicationId === null || token === "" || kind === undefined) return null;
  return { id, token, applicationId, kind, commandName: textOf(childOf(data, "data") ?? {}, "name") };
}

/** The channel that an interaction names, with what it says of it. */
export function channelOf(data: Payload): Payload {
  return childOf(data, "channel") ?? { id: data["channel_id"] };
}

/** A command or a component; `null` for one without a user. `isPrivate`: its answer is for that user alone. */
export function translateInteraction(
  data: Payload,
  head: InteractionHead & { readonly isPrivate: boolean },
  around: Surroundings,
): Candidate | null {
  const member = childOf(data, "member");
  const user = (member === null ? null : childOf(member, "user")) ?? childOf(data, "user");
  const userId = user === null ? null : idOf(user, "id");
  if (user === null || userId === null) return null;
  const name = displayName(user, member);
  const place = placeOf(around, { senderId: userId, isBot: user["bot"] === true });
  const details = childOf(data, "data") ?? {};
  const what = head.kind === "command" ? commandParts(details) : componentParts(data, details);
  return {
    place,
    message: {
      id: head.id,
      conversation: conversationOf(place, around.channel),
      sender: { id: userId, name, isBot: place.isBot },
      text: what.text,
      kind: head.kind === "command" ? "command" : "interaction",
      metadata: {
        ...placeMetadata(around),
        ...what.metadata,
        discord_interaction_id: head.id,
        sender_id: userId,
        discord_author_name: textOf(user, "username") || name,
        discord_user_mention: `<@${userId}>`,
        sender_display_name: name,
        formatted_author: `${name} (<@${userId}>)`,
        sender_is_bot: place.isBot,
        discord_mentioned_bot: head.kind === "command",
        discord_reply_to_bot: head.kind === "component",
        discord_mentions_or_replies_to_bot: true,
      },
      routing: routingOf(place, true),
      replyTo: {
        ...what.replyTo,
        channelId: around.channel.id,
        interactionId: head.id,
        userId,
        ...(head.isPrivate ? { isPrivate: "true" } : {}),
      },
    },
  };
}

/** What is offered while a person types: the declared choices that contain what is there already. */
export function suggestionsFor(
  data: Payload,
  commands: readonly CommandDeclaration[],
): readonly { readonly name: string; readonly value: string | number }[] {
  const details = childOf(data, "data") ?? {};
  const command = commands.find(({ name }) => name === textOf(details, "name"));
  const focused = childrenOf(details, "options").find((option) => option["focused"] === true);
  const option = command?.options.find(({ name }) => name === textOf(focused ?? {}, "name"));
  if (option === undefined) return [];
  const typed = valueText(focused?.["value"]).toLowerCase();
  return option.choices
    .filter((choice) => choice.toLowerCase().includes(typed))
    .slice(0, mostSuggestions)
    .map((choice) => ({ name: choice, value: option.type === "string" ? choice : Number(choice) }));
}

type Parts = {
  readonly text: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly replyTo: Readonly<Record<string, string>>;
};

function commandParts(details: Payload): Parts {
  const name = textOf(details, "name");
  const options = flatOptions(childrenOf(details, "options"));
  const values = options.map((option) => valueText(option["value"]));
  return {
    text: [`/${name}`, ...values].join(" "),
    metadata: {
      command_name: name,
      command_args: Object.fromEntries(options.map((option, index) => [textOf(option, "name"), values[index] ?? ""])),
    },
    replyTo: {},
  };
}

/** Options of a subcommand stand below it; ours have none, but a command of another program's may. */
function flatOptions(options: readonly Payload[]): readonly Payload[] {
  return options.flatMap((option) => {
    const type = numberOf(option, "type");
    const isGroup =
      type === ApplicationCommandOptionType.Subcommand || type === ApplicationCommandOptionType.SubcommandGroup;
    return isGroup ? flatOptions(childrenOf(option, "options")) : [option];
  });
}

function componentParts(data: Payload, details: Payload): Parts {
  const message = childOf(data, "message");
  const messageId = message === null ? null : idOf(message, "id");
  const actionId = textOf(details, "custom_id");
  const values = textsOf(details, "values");
  const label = message === null ? null : labelOf(message, actionId);
  return {
    text: `[interaction: ${actionId} -> ${values.length > 0 ? values.join(", ") : (label ?? actionId)}]`,
    metadata: { action_id: actionId, values, label, message_ts: messageId, discord_message_id: messageId },
    replyTo: messageId === null ? {} : { messageId },
  };
}

/** What the button says; `null` for a select. */
function labelOf(message: Payload, customId: string): string | null {
  const buttons = childrenOf(message, "components").flatMap((row) => childrenOf(row, "components"));
  const button = buttons.find((each) => each["custom_id"] === customId);
  return button === undefined ? null : textOf(button, "label") || null;
}

function valueText(value: unknown): string {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? String(value) : "";
}
