/** The calls of Discord's REST API that bots make, on the emulated guild. {@link https://discord.com/developers/docs/reference} */
import { OfferedCommands } from "../../conformance/offered-commands.ts";
import { checkCommands } from "./command-rules.ts";
import { codePoints, textIn, type Fields } from "./fields.ts";
import type { InteractionDesk } from "./interaction-desk.ts";
import { invalidField, notFound, Refusal } from "./refusal.ts";
import type { RequestBody } from "./request-body.ts";
import type { World } from "./world.ts";

/** One call, its path taken apart. */
export type RestCall = RequestBody & {
  readonly method: string;
  /** Without `/api/v10`; ids and emoji decoded. */
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
};

/** What a handler answers; `null`: 204. */
export type RestAnswer = unknown;

type Handler = (call: RestCall, ...ids: readonly string[]) => RestAnswer;

const knownEmoji = /^(?:\p{RGI_Emoji}|\w{2,32}:\d{1,20})$/v;

/** All calls but `/gateway/bot`. */
export class RestRoutes {
  readonly #world: World;
  readonly #desk: InteractionDesk;
  /** By `""` or guild. */
  readonly commands = new Map<string, readonly Fields[]>();
  /** Those of all scopes together. */
  readonly offered = new OfferedCommands();
  /** Writes of commands so far, as `PUT scope`. */
  readonly commandWrites: string[] = [];
  readonly #reactions = new Set<string>();
  readonly #threadsOfMessages = new Set<string>();
  readonly #handlers: readonly (readonly [method: string, pattern: readonly string[], handler: Handler])[];

  constructor(world: World, desk: InteractionDesk) {
    this.#world = world;
    this.#desk = desk;
    const route = (line: string, handler: Handler): readonly [string, readonly string[], Handler] => {
      const [method = "", path = ""] = line.split(" ");
      return [method, path.split("/").slice(1), handler];
    };
    this.#handlers = [
      route("GET /users/@me", () => world.bot),
      route("POST /users/@me/channels", ({ fields }) => this.#openDirect(fields)),
      route("GET /guilds/*", (_call, id) => this.#guild(id)),
      route("GET /channels/*", (_call, id) => world.channel(id ?? "")),
      route("GET /channels/*/messages", (call, id) => this.#history(call, id ?? "")),
      route("POST /channels/*/messages", ({ fields, uploads }, id) => world.post(id ?? "", world.bot, fields, uploads)),
      route("GET /channels/*/messages/*", (_call, id, messageId) => world.message(id ?? "", messageId ?? "")),
      route("PATCH /channels/*/messages/*", ({ fields }, id, messageId) =>
        this.#edit(fields, id ?? "", messageId ?? ""),
      ),
      route("DELETE /channels/*/messages/*", (_call, id, messageId) => this.#delete(id ?? "", messageId ?? "")),
      route("PUT /channels/*/messages/*/reactions/*/@me", (_call, ...ids) => this.#react(ids, true)),
      route("DELETE /channels/*/messages/*/reactions/*/@me", (_call, ...ids) => this.#react(ids, false)),
      route("POST /channels/*/typing", (_call, id) => (world.channel(id ?? ""), null)),
      route("POST /channels/*/messages/*/threads", ({ fields }, id, messageId) =>
        this.#thread(fields, id ?? "", messageId ?? null),
      ),
      route("POST /channels/*/threads", ({ fields }, id) => this.#thread(fields, id ?? "", null)),
      route("GET /applications/*/commands", (_call, id) => this.#list(id, "")),
      route("PUT /applications/*/commands", ({ list }, id) => this.#overwrite(list, id, "")),
      route("GET /applications/*/guilds/*/commands", (_call, id, guildId) => this.#list(id, guildId ?? "")),
      route("PUT /applications/*/guilds/*/commands", ({ list }, id, guildId) =>
        this.#overwrite(list, id, guildId ?? ""),
      ),
      route(
        "POST /interactions/*/*/callback",
        ({ fields }, id, token) => (desk.callback(id ?? "", token ?? "", fields), null),
      ),
      route("POST /webhooks/*/*", ({ fields, uploads }, _id, token) => desk.followUp(token ?? "", fields, uploads)),
      route("PATCH /webhooks/*/*/messages/*", ({ fields, uploads }, ...ids) => this.#editAnswer(ids, fields, uploads)),
      route("DELETE /webhooks/*/*/messages/@original", (_call, _id, token) => (desk.deleteOriginal(token ?? ""), null)),
    ];
  }

  /** @throws {Refusal} as Discord does. */
  answer(call: RestCall): RestAnswer {
    for (const [method, pattern, handler] of this.#handlers) {
      if (method !== call.method || pattern.length !== call.segments.length) continue;
      if (!pattern.every((part, index) => part === "*" || part === call.segments[index])) continue;
      return handler(call, ...call.segments.filter((_segment, index) => pattern[index] === "*"));
    }
    throw new Refusal(404, 0, "404: Not Found");
  }

  #openDirect(fields: Fields): RestAnswer {
    const userId = textIn(fields, "recipient_id");
    if (!/^\d{1,20}$/u.test(userId))
      throw invalidField("recipient_id", "NUMBER_TYPE_COERCE", "Value is not snowflake.");
    if (userId === this.#world.bot.id) throw new Refusal(400, 50_007, "Cannot send messages to this user");
    return this.#world.direct(userId);
  }

  #guild(id = ""): RestAnswer {
    if (id !== this.#world.guildId) throw notFound("Guild");
    return { id, name: "Bulkhead test guild" };
  }

  #history({ query }: RestCall, channelId: string): RestAnswer {
    this.#world.channel(channelId);
    const limit = Number(query.get("limit") ?? "50");
    if (!Number.isInteger(limit) || limit < 1 || limit > 100)
      throw invalidField("limit", "NUMBER_TYPE_MAX", "int value should be between 1 and 100.");
    const all = this.#world.messages.get(channelId) ?? [];
    const before = query.get("before");
    const after = query.get("after");
    if (before !== null)
      return all
        .filter(({ id }) => BigInt(id) < BigInt(before))
        .slice(-limit)
        .toReversed();
    // With `after` the nearest ones come, but still the newest of them first.
    if (after !== null)
      return all
        .filter(({ id }) => BigInt(id) > BigInt(after))
        .slice(0, limit)
        .toReversed();
    return all.slice(-limit).toReversed();
  }

  #edit(fields: Fields, channelId: string, messageId: string): RestAnswer {
    if (this.#world.message(channelId, messageId).author.id !== this.#world.bot.id)
      throw new Refusal(403, 50_005, "Cannot edit a message authored by another user");
    return this.#world.edit(channelId, messageId, fields);
  }

  #delete(channelId: string, messageId: string): RestAnswer {
    this.#world.message(channelId, messageId);
    this.#world.remove(channelId, messageId);
    return null;
  }

  #react([channelId = "", messageId = "", emoji = ""]: readonly string[], isAdded: boolean): RestAnswer {
    this.#world.message(channelId, messageId);
    if (!knownEmoji.test(emoji)) throw notFound("Emoji");
    const key = `${channelId} ${messageId} ${emoji}`;
    const isThere = this.#reactions.has(key);
    if (isAdded) this.#reactions.add(key);
    else this.#reactions.delete(key);
    if (isAdded !== isThere)
      this.#world.show(isAdded ? "reaction" : "reaction_removed", {
        channelId,
        messageId,
        text: emoji,
        raw: { emoji },
      });
    return null;
  }

  #thread(fields: Fields, channelId: string, messageId: string | null): RestAnswer {
    const world = this.#world;
    const channel = world.channel(channelId);
    const name = textIn(fields, "name");
    if (name.length < 1 || codePoints(name) > 100)
      throw invalidField("name", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.");
    if (channel.type !== 0) throw new Refusal(400, 50_024, "Cannot execute action on this channel type");
    if (messageId !== null) {
      world.message(channelId, messageId);
      if (this.#threadsOfMessages.has(messageId))
        throw new Refusal(400, 160_004, "A thread has already been created for this message");
      this.#threadsOfMessages.add(messageId);
    }
    const thread = {
      id: messageId ?? world.nextId(),
      type: 11,
      guild_id: world.guildId,
      name,
      parent_id: channelId,
      last_message_id: null,
    };
    world.channels.set(thread.id, thread);
    world.dispatch("THREAD_CREATE", { ...thread, newly_created: true });
    world.show("thread", { channelId: thread.id, messageId: thread.id, text: name, raw: fields });
    return thread;
  }

  #list(applicationId: string | undefined, scope: string): readonly Fields[] {
    this.#checkScope(applicationId, scope);
    return this.commands.get(scope) ?? [];
  }

  #overwrite(list: readonly Fields[] | null, applicationId: string | undefined, scope: string): RestAnswer {
    this.#checkScope(applicationId, scope);
    if (list === null) throw new Refusal(400, 50_035, "Invalid Form Body");
    checkCommands(list);
    const known = this.commands.get(scope) ?? [];
    const commands = list.map((command) => ({
      default_member_permissions: null,
      nsfw: false,
      type: 1,
      ...withoutDefaults(command),
      id: known.find((each) => each["name"] === command["name"])?.["id"] ?? this.#world.nextId(),
      application_id: this.#world.applicationId,
      version: this.#world.nextId(),
    }));
    this.commands.set(scope, commands);
    this.offered.set([...this.commands.values()].flat().map((command) => textIn(command, "name")));
    this.commandWrites.push(`PUT ${scope}`);
    return commands;
  }

  #checkScope(applicationId: string | undefined, scope: string): void {
    if (applicationId !== this.#world.applicationId)
      throw new Refusal(403, 20_012, "You are not authorized to perform this action on this application");
    if (scope !== "" && scope !== this.#world.guildId) throw new Refusal(403, 50_001, "Missing Access");
  }

  #editAnswer(
    [, token = "", messageId = ""]: readonly string[],
    fields: Fields,
    uploads: RestCall["uploads"],
  ): RestAnswer {
    if (messageId === "@original") return this.#desk.editOriginal(token, fields, uploads);
    return this.#desk.edit(token, messageId, fields);
  }
}

/** Discord leaves out what is as it would be anyway. */
function withoutDefaults(command: Fields): Fields {
  const { options, ...rest } = command;
  if (!Array.isArray(options) || options.length === 0) return rest;
  const kept = options.map((option: Fields) => {
    const { required, ...others } = option;
    return required === true ? { ...others, required } : others;
  });
  return { ...rest, options: kept };
}
