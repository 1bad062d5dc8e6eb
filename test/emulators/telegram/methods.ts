/** The Bot API's methods as its documentation has them, with the refusals that a bot meets. https://core.telegram.org/bots/api */
import type { ShownItem } from "../../conformance/emulated-platform.ts";
import { ApiRefusal, badRequest } from "./api-refusal.ts";
import { allowedReactions } from "./allowed-reactions.ts";
import { botUser, type BotWorld, conversationName, type WorldChat, type WorldMessage } from "./bot-world.ts";
import { parseMarkup } from "./markup.ts";
import type { RequestFields } from "./request-fields.ts";

/** One method. */
export type Method = (fields: RequestFields) => unknown;

/** What the methods work on; `show` is told of what people see. */
export type MethodParts = { readonly world: BotWorld; readonly show: (item: ShownItem) => void };

const files: Readonly<Record<string, string>> = {
  sendPhoto: "photo",
  sendAnimation: "animation",
  sendVideo: "video",
  sendVoice: "voice",
  sendAudio: "audio",
  sendDocument: "document",
};
const actions = ["typing", "upload_photo", "upload_video", "upload_document", "upload_voice", "choose_sticker"];
const largestDownloadBytes = 20 * 1024 * 1024;

/** Every method but getUpdates, which waits. */
export function methodsOf({ world, show }: MethodParts): Readonly<Record<string, Method>> {
  const methods: Record<string, Method> = {
    getMe: () => ({
      ...botUser,
      can_join_groups: true,
      can_read_all_group_messages: true,
      supports_inline_queries: false,
    }),
    getWebhookInfo: () => ({
      url: world.webhook?.url ?? "",
      has_custom_certificate: false,
      pending_update_count: world.queue.pending.length,
      ...(world.webhookError === null
        ? {}
        : { last_error_date: world.webhookError.date, last_error_message: world.webhookError.message }),
    }),
    setWebhook: (fields) => setWebhook(world, fields),
    deleteWebhook: () => {
      world.webhook = null;
      return true;
    },
    getMyCommands: () => world.menu,
    setMyCommands: (fields) => setCommands(world, fields),
    sendMessage: (fields) => {
      const place = placeOf(world, fields);
      const text = textOf(fields, "text", 4096);
      if (text === "") throw badRequest("message text is empty");
      return send(place, { world, show, fields }, { kind: "message", text });
    },
    editMessageText: (fields) => editText({ world, show }, fields),
    sendPoll: (fields) => {
      const place = placeOf(world, fields);
      checkPoll(fields, place.chat);
      return send(place, { world, show, fields }, { kind: "poll", text: fields.text("question") });
    },
    setMessageReaction: (fields) => react({ world, show }, fields),
    sendChatAction: (fields) => {
      placeOf(world, fields);
      if (!actions.includes(fields.text("action"))) throw badRequest("wrong parameter action in request");
      return true;
    },
    answerCallbackQuery: (fields) => {
      const id = fields.text("callback_query_id");
      if (!world.queries.delete(id))
        throw badRequest("query is too old and response timeout expired or query ID is invalid");
      world.answeredQueries.add(id);
      return true;
    },
    getFile: (fields) => {
      const file = world.files.get(fields.text("file_id"));
      if (file === undefined) throw badRequest("wrong file_id or the file is temporarily unavailable");
      if (file.bytes.length > largestDownloadBytes) throw badRequest("file is too big");
      return { file_id: file.id, file_unique_id: file.id, file_size: file.bytes.length, file_path: file.path };
    },
  };
  for (const [name, field] of Object.entries(files))
    methods[name] = (fields) => sendFile({ world, show, fields }, name, field);
  return methods;
}

type Place = { readonly chat: WorldChat; readonly topicId: number | null };
type Call = MethodParts & { readonly fields: RequestFields };

function placeOf(world: BotWorld, fields: RequestFields): Place {
  const chat = world.chat(fields.text("chat_id"));
  const topicId = fields.number("message_thread_id");
  if (topicId !== null && !world.topics.has(`${chat.id}:${topicId}`)) throw badRequest("message thread not found");
  return { chat, topicId };
}

/** The visible text of a field. @throws {ApiRefusal} for markup that cannot be read, and for more than `limit`. */
function textOf(fields: RequestFields, name: string, limit: number): string {
  const mode = fields.text("parse_mode");
  if (mode !== "" && mode.toUpperCase() !== "HTML") throw badRequest("unsupported parse_mode");
  const parsed = mode === "" ? { ok: true as const, text: fields.text(name).trim() } : parseMarkup(fields.text(name));
  if (!parsed.ok) throw new ApiRefusal(400, parsed.description);
  if (parsed.text.length > limit)
    throw badRequest(name === "caption" ? "message caption is too long" : "message is too long");
  return parsed.text;
}

function send(place: Place, { world, show, fields }: Call, shown: Pick<ShownItem, "kind" | "text">): unknown {
  checkReply(world, place.chat, fields);
  checkKeyboard(fields);
  const written = world.write({ ...place, isBots: true, text: shown.text, keyboard: fields.json("reply_markup") });
  show({
    ...shown,
    conversation: conversationName(place.chat, place.topicId),
    messageId: String(written.messageId),
    raw: fields.values,
  });
  return messageObject(written);
}

function messageObject(message: WorldMessage): unknown {
  return {
    message_id: message.messageId,
    from: botUser,
    chat: message.chat,
    date: Math.floor(Date.now() / 1000),
    text: message.text,
    ...(message.topicId === null ? {} : { message_thread_id: message.topicId, is_topic_message: true }),
  };
}

function checkReply(world: BotWorld, chat: WorldChat, fields: RequestFields): void {
  const reply = fields.json("reply_parameters") as
    | { message_id?: number; allow_sending_without_reply?: boolean }
    | undefined;
  if (reply === undefined || reply.allow_sending_without_reply === true) return;
  if (world.find(chat, reply.message_id ?? null) === null) throw badRequest("message to be replied not found");
}

function checkKeyboard(fields: RequestFields): void {
  const markup = fields.json("reply_markup") as
    | { inline_keyboard?: readonly (readonly { text?: string; callback_data?: string; url?: string }[])[] }
    | undefined;
  for (const button of markup?.inline_keyboard?.flat() ?? []) {
    if ((button.text ?? "") === "") throw badRequest("can't parse inline keyboard button: Text buttons are unallowed");
    const bytes = Buffer.byteLength(button.callback_data ?? "");
    if (button.url === undefined && (bytes < 1 || bytes > 64)) throw badRequest("BUTTON_DATA_INVALID");
  }
}

function editText({ world, show }: MethodParts, fields: RequestFields): unknown {
  const chat = world.chat(fields.text("chat_id"));
  const message = world.find(chat, fields.number("message_id"));
  if (message === null) throw badRequest("message to edit not found");
  if (!message.isBots) throw badRequest("message can't be edited");
  const text = textOf(fields, "text", 4096);
  if (text === "") throw badRequest("message text is empty");
  if (text === message.text)
    throw badRequest(
      "message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message",
    );
  message.text = text;
  const conversation = conversationName(chat, message.topicId);
  show({ kind: "edit", conversation, messageId: String(message.messageId), text, raw: fields.values });
  return messageObject(message);
}

function sendFile({ world, show, fields }: Call, method: string, field: string): unknown {
  const place = placeOf(world, fields);
  const file = fields.file(field);
  if (file === null) throw badRequest(`there is no ${field} in the request`);
  if (file.bytes.length === 0) throw badRequest("file must be non-empty");
  if (method === "sendPhoto" && !isPicture(file.bytes)) throw badRequest("IMAGE_PROCESS_FAILED");
  textOf(fields, "caption", 1024);
  const kept = world.addFile(file.filename, "application/octet-stream", file.bytes);
  return send(place, { world, show, fields: fields }, { kind: "file", text: kept.filename });
}

function isPicture(bytes: Buffer): boolean {
  const head = bytes.subarray(0, 4).toString("hex");
  return head.startsWith("ffd8ff") || head === "89504e47" || head === "52494646";
}

function checkPoll(fields: RequestFields, chat: WorldChat): void {
  const question = fields.text("question");
  const options = fields.json("options");
  if (question === "") throw badRequest("poll question must be non-empty");
  if (question.length > 300) throw badRequest("poll question length must not exceed 300");
  if (!Array.isArray(options) || options.length < 2) throw badRequest("poll must have at least 2 option");
  if (options.length > 12) throw badRequest("poll can't have more than 12 options");
  for (const option of options as readonly { readonly text?: unknown }[]) {
    if (typeof option?.text !== "string" || option.text === "") throw badRequest("poll options must be non-empty");
    if (option.text.length > 100) throw badRequest("poll options length must not exceed 100");
  }
  if (chat.type === "channel" && fields.values["is_anonymous"] === false)
    throw badRequest("non-anonymous polls can't be sent to channel chats");
}

function react({ world, show }: MethodParts, fields: RequestFields): unknown {
  const chat = world.chat(fields.text("chat_id"));
  const message = world.find(chat, fields.number("message_id"));
  if (message === null) throw badRequest("message to react not found");
  const reactions = (fields.json("reaction") ?? []) as readonly { readonly type?: string; readonly emoji?: string }[];
  if (reactions.length > 1) throw badRequest("REACTIONS_TOO_MANY");
  const emoji = reactions[0]?.emoji ?? null;
  if (emoji !== null && !allowedReactions.has(emoji)) throw badRequest("REACTION_INVALID");
  const place = { conversation: conversationName(chat, message.topicId), messageId: String(message.messageId) };
  if (emoji !== null) show({ kind: "reaction", ...place, text: emoji, raw: fields.values });
  else if (message.reaction !== null)
    show({ kind: "reaction_removed", ...place, text: message.reaction, raw: fields.values });
  message.reaction = emoji;
  return true;
}

function setWebhook(world: BotWorld, fields: RequestFields): unknown {
  const url = fields.text("url");
  const secret = fields.text("secret_token");
  if (!/^[\w-]{0,256}$/u.test(secret)) throw badRequest("secret token contains unallowed characters");
  // Telegram takes https alone; this machine is the one exception here.
  if (url !== "" && !/^https:\/\/|^http:\/\/127\.0\.0\.1[:/]/u.test(url))
    throw badRequest("bad webhook: An HTTPS URL must be provided for webhook");
  world.webhook = url === "" ? null : { url, secret };
  world.queue.allowed = listOf(fields.json("allowed_updates"));
  if (url !== "") world.queue.endPoll("Conflict: terminated by setWebhook request");
  return true;
}

function setCommands(world: BotWorld, fields: RequestFields): unknown {
  const commands = fields.json("commands");
  if (!Array.isArray(commands) || commands.length > 100) throw badRequest("BOT_COMMANDS_TOO_MUCH");
  for (const { command, description } of commands as readonly { command: string; description: string }[]) {
    if (!/^[a-z0-9_]{1,32}$/u.test(command)) throw badRequest("BOT_COMMAND_INVALID");
    if (description.length < 1 || description.length > 256) throw badRequest("BOT_COMMAND_DESCRIPTION_INVALID");
  }
  world.menu = commands;
  world.offered.set((commands as readonly { command: string }[]).map(({ command }) => command));
  return true;
}

/** A list of kinds; `null`: the default ones. */
export function listOf(value: unknown): readonly string[] | null {
  return Array.isArray(value) && value.length > 0 ? (value as readonly string[]) : null;
}
