/** The capability matrix as data: what each platform does with each response kind. Printed by `bulkhead capabilities`. */
import type { Capability } from "./adapter.ts";
import { responseKinds } from "./response-kinds.ts";
import type { ResponseKind } from "./response.ts";

const nativeByPlatform: Readonly<Record<string, readonly ResponseKind[]>> = {
  webhook: ["text", "file", "stream_start", "stream_chunk", "stream_end"],
  webchat: ["text", "file", "stream_start", "stream_chunk", "stream_end"],
  discord: [
    "text",
    "thread_reply",
    "file",
    "reaction",
    "remove_reaction",
    "ephemeral",
    "rich_message",
    "stream_start",
    "stream_chunk",
    "stream_end",
  ],
  slack: responseKinds,
  telegram: [
    "text",
    "thread_reply",
    "file",
    "reaction",
    "remove_reaction",
    "rich_message",
    "stream_start",
    "stream_chunk",
    "stream_end",
  ],
  twitch: ["text", "thread_reply"],
  email: ["text", "thread_reply", "file", "rich_message"],
};

/** A reaction has no honest form as text. */
const withoutFallback: ReadonlySet<ResponseKind> = new Set<ResponseKind>(["reaction", "remove_reaction"]);

/** The built-in platform's capabilities: what is not native falls back to text, where a text can say it. */
export function capabilitiesOf(platform: string): Readonly<Record<ResponseKind, Capability>> {
  const native = nativeByPlatform[platform] ?? [];
  const entries = responseKinds.map((kind): [ResponseKind, Capability] => [
    kind,
    native.includes(kind) ? "native" : withoutFallback.has(kind) ? "none" : "fallback",
  ]);
  return Object.fromEntries(entries) as Record<ResponseKind, Capability>;
}

/** Built-in platforms whose clients fetch their replies. A third party's module says it itself (`pull`). */
export const pullPlatforms: ReadonlySet<string> = new Set(["webhook", "webchat"]);
