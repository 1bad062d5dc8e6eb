/** Who is heard, and what of it. Pure. */
import type { Policy } from "../../src/contract/adapter.ts";
import type { EmittedMessage } from "../../src/contract/message.ts";
import { admits } from "../../src/support/admission.ts";
import type { Heard } from "./translate.ts";

/**
 * The message as the gateway gets it, without the trigger prefix; `null`: `policy` keeps it out. There are no direct messages
 * here: the list of users names who is heard in the channels, by login or number, and an empty one means everybody.
 */
export function admitted(heard: Heard, policy: Policy): EmittedMessage | null {
  const { message, place, login, text } = heard;
  if (!admits(policy, place) || !isListed(policy.dmAllowedUsers, [login, place.senderId])) return null;
  const { triggerPrefix } = policy;
  if (!text.startsWith(triggerPrefix)) return null;
  if (triggerPrefix === "" || message.text === "") return message;
  return { ...message, text: message.text.slice(triggerPrefix.length).trimStart() };
}

function isListed(list: readonly string[], names: readonly string[]): boolean {
  if (list.length === 0 || list.includes("*")) return true;
  return list.some((entry) => names.includes(entry.trim().replace(/^[#@]/u, "").toLowerCase()));
}
