/** What Acme tells its bot, as the gateway's messages. Pure. */
import type { EmittedMessage } from "../../../src/contract/message.ts";

/** One JSON line. */
export type Line = Readonly<Record<string, unknown>>;

/** One event. `id` is what Acme wants acknowledged, and `room` where it happened. */
export type AcmeEvent = { readonly id: string; readonly room: string; readonly message: EmittedMessage };

/** `null` for what is no event, or not one as Acme's documentation has it. */
export function parseEvent(line: Line): AcmeEvent | null {
  const { id, room } = line;
  const user = fieldsOf(line["user"]);
  if (!isText(id) || !isText(room) || !isText(user["id"]) || !isText(user["name"])) return null;
  const parts = partsOf(line, id);
  if (parts === null) return null;
  const { of = null, ...rest } = parts;
  const message: EmittedMessage = {
    // An edit, a deletion and a reaction are of the message that they are about; `revision` tells them apart.
    id: of ?? id,
    ...(of === null ? {} : { revision: id }),
    conversation: room,
    sender: { id: user["id"], name: user["name"] },
    routing: { chatId: room, channelIds: [room] },
    ...rest,
  };
  return { id, room, message };
}

type Parts = Pick<EmittedMessage, "kind" | "text" | "attachments" | "metadata" | "replyTo"> & {
  /** The message it is about, where it is none itself. */
  readonly of?: string;
};

function partsOf(line: Line, id: string): Parts | null {
  const { type, of, text } = line;
  if (type === "message") return isText(text) ? saidParts(line, id, text) : null;
  if (type === "used") return usedParts(line);
  if (!isText(of)) return null;
  const replyTo = { messageId: of };
  if (type === "edited") return isText(text) ? { of, replyTo, kind: "edited", text } : null;
  if (type === "deleted") return { of, replyTo, kind: "deleted", text: "" };
  if (type === "reacted") {
    const { emoji, isTaken } = line;
    const metadata = { reaction_action: isTaken === true ? "removed" : "added" };
    return isText(emoji) ? { of, replyTo, kind: "reaction", text: emoji, metadata } : null;
  }
  // A press is an event of its own, not of the message below which the button is.
  return type === "pressed" ? pressedParts(fieldsOf(line["button"]), replyTo) : null;
}

function saidParts({ files }: Line, id: string, text: string): Parts {
  const attachments = listOf(files).map(({ id: ref, name, mime, size }) => ({
    filename: String(name),
    mimeType: String(mime),
    sizeBytes: Number(size),
    ref: String(ref),
  }));
  return { kind: attachments.length > 0 ? "media" : "text", text, attachments, replyTo: { messageId: id } };
}

function usedParts({ command, words }: Line): Parts | null {
  if (!isText(command) || !isText(words)) return null;
  const text = words === "" ? `/${command}` : `/${command} ${words}`;
  return { kind: "command", text, metadata: { command_name: command, command_args: words } };
}

function pressedParts({ id, label, value }: Line, replyTo: { readonly messageId: string }): Parts | null {
  if (!isText(id) || !isText(label)) return null;
  const metadata = { action_id: id, values: isText(value) ? [value] : [], label };
  return { kind: "interaction", text: `[interaction: ${id} -> ${label}]`, metadata, replyTo };
}

function fieldsOf(value: unknown): Line {
  return typeof value === "object" && value !== null ? (value as Line) : {};
}

function listOf(value: unknown): readonly Line[] {
  return Array.isArray(value) ? value.map(fieldsOf) : [];
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}
