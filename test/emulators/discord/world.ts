/** One guild of Discord's with its channels, people and messages, and a bot. What happens is told to whoever listens. */
import type { ShownItem } from "../../conformance/emulated-platform.ts";
import { Observed } from "../../conformance/observed.ts";
import { fieldsOf, listOf, textIn, type Fields } from "./fields.ts";
import { checkMessage, type Upload } from "./message-rules.ts";
import { invalidField, notFound } from "./refusal.ts";
import type { User, WorldChannel, WorldEvent, WorldMessage } from "./world-types.ts";

const epochMs = 1_420_070_400_000;

/** The emulator's whole state. */
export class World {
  readonly bot: User = { id: "800000000000000001", username: "bulkhead", global_name: null, bot: true };
  readonly applicationId = "800000000000000002";
  readonly guildId = "700000000000000001";
  readonly mainChannel = "700000000000000010";
  readonly otherChannel = "700000000000000011";
  readonly users = new Map<string, User>();
  readonly channels = new Map<string, WorldChannel>();
  /** Of each channel, the oldest first. */
  readonly messages = new Map<string, WorldMessage[]>();
  readonly files = new Map<string, Upload>();
  readonly shown = new Observed<ShownItem>();
  readonly events = new Observed<WorldEvent>();
  /** Called with each event as it happens. */
  onEvent: (event: WorldEvent) => void = () => {};
  /** Where files are served. */
  cdnUrl = "";
  readonly #nonces = new Map<string, WorldMessage>();
  #lastId = 0n;
  #lastEditMs = 0;

  constructor() {
    this.addUser({ id: "900000000000000001", username: "ann", global_name: "Ann" });
    this.users.set(this.bot.id, this.bot);
    for (const [id, name] of [
      [this.mainChannel, "general"],
      [this.otherChannel, "random"],
    ] as const)
      this.channels.set(id, { id, type: 0, guild_id: this.guildId, name, last_message_id: null });
  }

  get ann(): User {
    return this.user("900000000000000001");
  }

  addUser(user: User): User {
    this.users.set(user.id, user);
    return user;
  }

  /** Somebody, made up at need. */
  user(id: string): User {
    return this.users.get(id) ?? this.addUser({ id, username: `user${id}`, global_name: `User ${id}` });
  }

  nextId(): string {
    const now = BigInt(Date.now() - epochMs) << 22n;
    this.#lastId = now > this.#lastId ? now : this.#lastId + 1n;
    return String(this.#lastId);
  }

  dispatch(type: string, data: Fields): void {
    const event = { type, data };
    this.events.add(event);
    this.onEvent(event);
  }

  /** @throws {Refusal} */
  channel(id: string): WorldChannel {
    if (!/^\d{1,20}$/u.test(id))
      throw invalidField("channel_id", "NUMBER_TYPE_COERCE", `Value "${id}" is not snowflake.`);
    const channel = this.channels.get(id);
    if (channel === undefined) throw notFound("Channel");
    return channel;
  }

  /** @throws {Refusal} */
  message(channelId: string, id: string): WorldMessage {
    this.channel(channelId);
    const message = this.messages.get(channelId)?.find((each) => each.id === id);
    if (message === undefined) throw notFound("Message");
    return message;
  }

  /** The direct conversation of the bot and a user. */
  direct(userId: string): WorldChannel {
    const user = this.user(userId);
    for (const channel of this.channels.values())
      if (channel.type === 1 && channel.recipients?.[0]?.id === userId) return channel;
    const channel = { id: this.nextId(), type: 1, recipients: [user], last_message_id: null };
    this.channels.set(channel.id, channel);
    return channel;
  }

  /** As the adapter names it. */
  conversationOf(channelId: string): string {
    const user = this.channels.get(channelId)?.recipients?.[0];
    return user === undefined ? channelId : `dm:${user.id}`;
  }

  /** Writes a message, tells of it, and shows it if it is the bot's. @throws {Refusal} */
  post(channelId: string, author: User, fields: Fields, uploads: readonly Upload[] = []): WorldMessage {
    const channel = this.channel(channelId);
    checkMessage(fields, uploads);
    const nonce = fields["enforce_nonce"] === true ? `${channelId} ${String(fields["nonce"])}` : null;
    const known = nonce === null ? undefined : this.#nonces.get(nonce);
    if (known !== undefined) return known;
    const message = this.#build(channel, author, fields, uploads);
    if (nonce !== null) this.#nonces.set(nonce, message);
    this.messages.set(channelId, [...(this.messages.get(channelId) ?? []), message]);
    channel.last_message_id = message.id;
    this.dispatch("MESSAGE_CREATE", { ...message, ...this.#guildFields(channel, author) });
    if (author.id === this.bot.id) this.#show(message, fields);
    return message;
  }

  /** @throws {Refusal} */
  edit(channelId: string, id: string, fields: Fields): WorldMessage {
    const before = this.message(channelId, id);
    checkMessage({ ...before, ...fields }, []);
    // No two edits have one time.
    this.#lastEditMs = Math.max(Date.now(), this.#lastEditMs + 1);
    const message = { ...before, ...fields, edited_timestamp: new Date(this.#lastEditMs).toISOString() };
    this.messages.set(
      channelId,
      (this.messages.get(channelId) ?? []).map((each) => (each.id === id ? message : each)),
    );
    this.dispatch("MESSAGE_UPDATE", { ...message, ...this.#guildFields(this.channel(channelId), before.author) });
    if (before.author.id === this.bot.id)
      this.show("edit", { channelId, messageId: id, text: textIn(message, "content"), raw: fields });
    return message;
  }

  remove(channelId: string, id: string): void {
    const { guild_id: guildId } = this.channel(channelId);
    this.messages.set(
      channelId,
      (this.messages.get(channelId) ?? []).filter((each) => each.id !== id),
    );
    this.dispatch("MESSAGE_DELETE", {
      id,
      channel_id: channelId,
      ...(guildId === undefined ? {} : { guild_id: guildId }),
    });
  }

  show(
    kind: ShownItem["kind"],
    {
      channelId,
      messageId,
      text,
      raw,
    }: { readonly channelId: string; readonly messageId: string; readonly text: string; readonly raw: unknown },
  ): void {
    this.shown.add({ kind, conversation: this.conversationOf(channelId), messageId, text, raw });
  }

  /** What events in a guild have beside the rest. */
  #guildFields({ guild_id: guildId }: WorldChannel, author: User): Fields {
    if (guildId === undefined) return {};
    return {
      guild_id: guildId,
      member: { nick: null, roles: [], joined_at: "2024-01-01T00:00:00+00:00", user: author },
    };
  }

  #build(channel: WorldChannel, author: User, fields: Fields, uploads: readonly Upload[]): WorldMessage {
    const id = this.nextId();
    const content = textIn(fields, "content");
    const reference = fieldsOf(fields["message_reference"]);
    const repliedId = textIn(reference, "message_id");
    const replied = this.messages.get(channel.id)?.find((each) => each.id === repliedId) ?? null;
    if (repliedId !== "" && replied === null && reference["fail_if_not_exists"] !== false)
      throw invalidField("message_reference", "MESSAGE_REFERENCE_UNKNOWN_MESSAGE", "Unknown message");
    const mentioned = [...content.matchAll(/<@!?(?<id>\d+)>/gu)].map(([, userId = ""]) => this.user(userId));
    return {
      id,
      channel_id: channel.id,
      author,
      type: replied === null ? 0 : 19,
      content,
      timestamp: new Date().toISOString(),
      edited_timestamp: null,
      tts: false,
      mention_everyone: false,
      mentions: mentioned,
      mention_roles: [],
      attachments: uploads.map((upload) => this.#keep(channel.id, upload)),
      embeds: listOf(fields["embeds"]),
      components: listOf(fields["components"]),
      pinned: false,
      ...(fields["nonce"] === undefined ? {} : { nonce: fields["nonce"] }),
      ...(fields["poll"] === undefined ? {} : { poll: fields["poll"] }),
      ...(fields["flags"] === undefined ? {} : { flags: fields["flags"] }),
      ...(repliedId === "" ? {} : { message_reference: reference, referenced_message: replied }),
    };
  }

  #keep(channelId: string, upload: Upload): Fields {
    const id = this.nextId();
    const path = `/attachments/${channelId}/${id}/${encodeURIComponent(upload.name)}`;
    this.files.set(path, upload);
    const { name, contentType, bytes } = upload;
    return {
      id,
      filename: name,
      content_type: contentType,
      size: bytes.length,
      url: `${this.cdnUrl}${path}`,
      proxy_url: `${this.cdnUrl}${path}`,
    };
  }

  #show(message: WorldMessage, raw: Fields): void {
    const at = { channelId: message.channel_id, messageId: message.id, raw };
    const text = textIn(message, "content");
    const isHidden = (Number(raw["flags"] ?? 0) & 64) !== 0;
    if (isHidden) return this.show("ephemeral", { ...at, text });
    for (const file of listOf(message["attachments"])) this.show("file", { ...at, text: textIn(file, "filename") });
    if (raw["poll"] !== undefined)
      this.show("poll", { ...at, text: textIn(fieldsOf(fieldsOf(raw["poll"])["question"]), "text") });
    if (text !== "" || listOf(message["embeds"]).length > 0) this.show("message", { ...at, text });
  }
}
