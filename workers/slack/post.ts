/** What happened to one message in a channel, as Slack's events and histories say it, parsed once. Pure. */
import { fieldsOf, isFields, listOf, numberOf, textOf, type Fields } from "./fields.ts";

/** A file that came with a message. */
export type SlackFile = {
  readonly id: string;
  readonly name: string;
  readonly mimeType: string;
  readonly url: string | null;
  readonly sizeBytes: number | null;
};

/** One message, or what became of it. Literal: `{ kind: "posted", channel: "C01", ts: "1700000000.000100", user: "U1", … }` */
export type Post = {
  readonly kind: "posted" | "edited" | "deleted";
  readonly channel: string;
  readonly ts: string;
  /** `""`: it is in no thread. */
  readonly threadTs: string;
  /** Who began the thread; `""` where Slack does not say. */
  readonly threadAuthor: string;
  /** `""` for what no user wrote. */
  readonly user: string;
  readonly botId: string;
  /** As Slack writes it. */
  readonly text: string;
  readonly files: readonly SlackFile[];
  /** Of the edit or deletion. */
  readonly revision: string;
};

/** One reaction to a message. */
export type Reaction = {
  readonly channel: string;
  readonly ts: string;
  readonly user: string;
  readonly itemUser: string;
  readonly name: string;
  readonly isAdded: boolean;
  readonly eventTs: string;
};

/** Subtypes that somebody said something with; the rest are notices of joins, topics, calls. */
const spokenSubtypes: ReadonlySet<string> = new Set([
  "",
  "file_share",
  "thread_broadcast",
  "me_message",
  "bot_message",
]);
const timestampForm = /^\d{1,12}\.\d{1,9}$/u;

/** A `message` or `app_mention` event; `null` for one that says nothing: joins, unfurled links, malformed ones. */
export function parsePost(event: Fields): Post | null {
  const channel = textOf(event["channel"]);
  if (channel === "") return null;
  switch (textOf(event["subtype"])) {
    case "message_changed":
      return parseChange(channel, event);
    case "message_deleted":
      return parseDeletion(channel, event);
    default:
      return parsePosted(channel, event);
  }
}

/** A message of a history, which does not name its channel. */
export function parsePosted(channel: string, message: Fields): Post | null {
  const ts = textOf(message["ts"]);
  if (!spokenSubtypes.has(textOf(message["subtype"])) || !isTimestamp(ts)) return null;
  const post = said("posted", channel, { message, ts, revision: "" });
  return post.user === "" && post.botId === "" ? null : post;
}

/** A `reaction_added` or `reaction_removed` event; `null` for one about a file, or a malformed one. */
export function parseReaction(event: Fields): Reaction | null {
  const item = fieldsOf(event["item"]);
  const reaction = {
    channel: textOf(item["channel"]),
    ts: textOf(item["ts"]),
    user: textOf(event["user"]),
    itemUser: textOf(event["item_user"]),
    name: textOf(event["reaction"]),
    isAdded: event["type"] === "reaction_added",
    eventTs: textOf(event["event_ts"]),
  };
  return reaction.channel === "" || reaction.user === "" || reaction.name === "" || !isTimestamp(reaction.ts)
    ? null
    : reaction;
}

/** Whether `text` is a moment in Slack's notation, which is a message's id: `1700000000.000100`. */
export function isTimestamp(text: string): boolean {
  return timestampForm.test(text);
}

/** When `ts` was, ISO 8601. */
export function timeOf(ts: string): string {
  const milliseconds = Number(ts) * 1000;
  return new Date(Number.isFinite(milliseconds) ? milliseconds : 0).toISOString();
}

function parseChange(channel: string, event: Fields): Post | null {
  const message = fieldsOf(event["message"]);
  const ts = textOf(message["ts"]);
  const editedTs = textOf(fieldsOf(message["edited"])["ts"]);
  if (!isTimestamp(ts)) return null;
  // A thread's first message is replaced by this when it is deleted.
  if (message["subtype"] === "tombstone") return parseDeletion(channel, { ...event, deleted_ts: ts });
  // Links that unfold and replies that are counted change a message, too.
  if (editedTs === "" || editedTs === textOf(fieldsOf(fieldsOf(event["previous_message"])["edited"])["ts"]))
    return null;
  if (!spokenSubtypes.has(textOf(message["subtype"]))) return null;
  return said("edited", channel, { message, ts, revision: editedTs });
}

function parseDeletion(channel: string, event: Fields): Post | null {
  const ts = textOf(event["deleted_ts"]);
  if (!isTimestamp(ts)) return null;
  const message = fieldsOf(event["previous_message"]);
  return { ...said("deleted", channel, { message, ts, revision: textOf(event["ts"]) || ts }), text: "", files: [] };
}

function said(
  kind: Post["kind"],
  channel: string,
  { message, ts, revision }: { readonly message: Fields; readonly ts: string; readonly revision: string },
): Post {
  const threadTs = textOf(message["thread_ts"]);
  return {
    kind,
    channel,
    ts,
    // A thread's first message names itself.
    threadTs: threadTs === ts ? "" : threadTs,
    threadAuthor: textOf(message["parent_user_id"]),
    user: textOf(message["user"]),
    botId: textOf(message["bot_id"]),
    text: textOf(message["text"]),
    files: listOf(message["files"]).flatMap(parseFile),
    revision,
  };
}

function parseFile(value: unknown): readonly SlackFile[] {
  if (!isFields(value)) return [];
  const id = textOf(value["id"]);
  const mode = textOf(value["mode"]);
  if (id === "" || mode === "tombstone" || mode === "hidden_by_limit") return [];
  return [
    {
      id,
      name: textOf(value["name"]) || textOf(value["title"]) || "file",
      mimeType: textOf(value["mimetype"]) || "application/octet-stream",
      url: textOf(value["url_private"]) || null,
      sizeBytes: numberOf(value["size"]),
    },
  ];
}
