/** Deletions and reactions as ours. Discord says little of them: what was known of the message fills in. Pure. */
import type { EmittedMessage } from "../../src/contract/message.ts";
import { childOf, idOf, textOf, type Payload } from "./payload.ts";
import {
  conversationOf,
  displayName,
  placeMetadata,
  placeOf,
  routingOf,
  type Candidate,
  type Surroundings,
} from "./translate-message.ts";

/** Who wrote a message that is gone. */
export type KnownSender = { readonly id: string; readonly name: string; readonly isBot: boolean };

/** Nobody can be told by it: Discord does not say who wrote what was deleted. */
export const unknownSender: KnownSender = { id: "unknown", name: "unknown", isBot: false };

/** A message was deleted. `sender` is who wrote it, as far as that is known. */
export function translateDelete(messageId: string, around: Surroundings, sender: KnownSender): Candidate {
  const { recipientId } = around.channel;
  const known = sender === unknownSender && recipientId !== null ? { ...sender, id: recipientId } : sender;
  const place = placeOf(around, { senderId: known.id, isBot: known.isBot });
  return {
    place,
    message: {
      ...event(messageId, { place, around }),
      sender: known,
      text: "",
      kind: "deleted",
      metadata: { ...placeMetadata(around), discord_message_id: messageId, sender_id: known.id },
      routing: routingOf(place, false),
    },
  };
}

/**
 * Somebody put a reaction to a message, or took it off; `null` for one without a user, message or emoji. `occurrence`
 * tells one that is put again from the first: Discord gives reactions neither an id nor a time.
 */
export function translateReaction(
  data: Payload,
  around: Surroundings,
  { isAdded, occurrence }: { readonly isAdded: boolean; readonly occurrence: string },
): Candidate | null {
  const messageId = idOf(data, "message_id");
  const userId = idOf(data, "user_id");
  const emoji = childOf(data, "emoji");
  if (messageId === null || userId === null || emoji === null) return null;
  const shown = emojiText(emoji);
  if (shown === "") return null;
  const member = childOf(data, "member");
  const user = (member === null ? null : childOf(member, "user")) ?? { id: userId };
  const isBot = user["bot"] === true;
  const place = placeOf(around, { senderId: userId, isBot });
  const action = isAdded ? "added" : "removed";
  const isOnBots = idOf(data, "message_author_id") === around.selfId;
  return {
    place,
    message: {
      ...event(messageId, { place, around }),
      sender: { id: userId, name: displayName(user, member), isBot },
      text: shown,
      kind: "reaction",
      revision: `${userId} ${shown} ${action} ${occurrence}`,
      metadata: {
        ...placeMetadata(around),
        discord_message_id: messageId,
        sender_id: userId,
        sender_display_name: displayName(user, member),
        reaction_emoji: shown,
        reaction_action: action,
        reaction_on_bot_message: isOnBots,
      },
      routing: routingOf(place, isOnBots),
    },
  };
}

/** As the same emoji is given to a `reaction` response. */
function emojiText(emoji: Payload): string {
  const id = idOf(emoji, "id");
  const name = textOf(emoji, "name");
  return id === null ? name : `<${emoji["animated"] === true ? "a" : ""}:${name || "_"}:${id}>`;
}

function event(
  messageId: string,
  { place, around }: { readonly place: Candidate["place"]; readonly around: Surroundings },
): Pick<EmittedMessage, "id" | "conversation" | "replyTo"> {
  return {
    id: messageId,
    conversation: conversationOf(place, around.channel),
    replyTo: { messageId, channelId: around.channel.id },
  };
}
