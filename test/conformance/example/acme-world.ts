/** What Acme knows: rooms and what was said in them, files, the commands of its bot; and what it refuses to do. */
import type { HeardReaction } from "../emulated-people.ts";
import type { ShownItem } from "../emulated-platform.ts";
import { Observed } from "../observed.ts";
import { OfferedCommands } from "../offered-commands.ts";

/** One JSON line of the protocol. */
export type Line = Readonly<Record<string, unknown>>;
/** What Acme tells its bot, again and again until the bot acknowledges its id. */
export type EventLine = Line & { readonly id: string };
/** What somebody writes. */
export type Writing = {
  readonly room: string;
  readonly userId: string;
  readonly text: string;
  readonly files: readonly { readonly name: string; readonly mime: string; readonly bytes: Uint8Array }[];
};

type Person = { readonly id: string; readonly name: string };
type Button = { readonly id: string; readonly label: string; readonly value?: string };
type Message = {
  readonly id: string;
  readonly room: string;
  /** `null`: the bot. */
  readonly user: Person | null;
  readonly buttons: readonly Button[];
  readonly atMs: number;
  text: string;
};

const longestCodePoints = 500;
const commandForm = /^[a-z0-9_-]{1,32}$/u;
const ann: Person = { id: "u1", name: "Ann" };

/** One team of Acme's. What people do gives the line that the bot is told; what the bot asks for gives the answer. */
export class AcmeWorld {
  readonly shown = new Observed<ShownItem>();
  readonly offered = new OfferedCommands();
  readonly #rooms: ReadonlySet<string>;
  readonly #messages = new Map<string, Message>();
  readonly #files = new Map<string, Uint8Array>();
  /** What was said with a key, by the key. */
  readonly #said = new Map<string, string>();
  #lastId = 0;

  constructor(rooms: readonly string[]) {
    this.#rooms = new Set(rooms);
    this.offered.set([]);
  }

  say({ room, userId, text, files }: Writing): EventLine {
    const user = { id: userId, name: "Ann" };
    const { id } = this.#write({ room, user, text, buttons: [] });
    const kept = files.map(({ name, mime, bytes }, index) => {
      this.#files.set(`${id}-${index}`, bytes);
      return { id: `${id}-${index}`, name, mime, size: bytes.length };
    });
    return { type: "message", id, room, user, text, files: kept };
  }

  edit(id: string, text: string): EventLine {
    const message = this.#message(id);
    message.text = text;
    return this.#event("edited", message, { user: message.user, text });
  }

  remove(id: string): EventLine {
    const message = this.#message(id);
    this.#messages.delete(id);
    return this.#event("deleted", message, { user: message.user });
  }

  react(id: string, reaction: HeardReaction): EventLine {
    return this.#event("reacted", this.#message(id), { user: ann, ...reaction });
  }

  press(id: string, label: string): EventLine {
    const message = this.#message(id);
    const button = message.buttons.find((each) => each.label === label);
    if (button === undefined) throw new TypeError(`Cannot press ${label}: the message ${id} shows no such thing`);
    return this.#event("pressed", message, { user: ann, button });
  }

  use(room: string, command: string, words: string): EventLine {
    return { type: "used", id: this.#nextId(), room, user: ann, command, words };
  }

  /** What the bot asks for; the answer has no `ref` yet. */
  answer(line: Line): Line {
    switch (line["type"]) {
      case "say":
        return this.#say(line);
      case "react":
        return this.#react(line);
      case "fetch":
        return this.#fetch(line);
      case "history":
        return this.#history(line);
      case "offer":
        return this.#offer(line["commands"]);
      default:
        return refused("unknown_type");
    }
  }

  #say(line: Line): Line {
    const room = String(line["room"]);
    const text = String(line["text"]);
    if (!this.#rooms.has(room)) return refused("no_such_room");
    if (text === "") return refused("empty");
    if (Array.from(text).length > longestCodePoints) return refused("too_long");
    const key = typeof line["key"] === "string" ? line["key"] : null;
    const known = key === null ? undefined : this.#said.get(key);
    if (known !== undefined) return { type: "done", id: known };
    const buttons = (line["buttons"] ?? []) as readonly Button[];
    const { id } = this.#write({ room, user: null, text, buttons });
    if (key !== null) this.#said.set(key, id);
    this.shown.add({ kind: "message", conversation: room, messageId: id, text, raw: line });
    return { type: "done", id };
  }

  #react(line: Line): Line {
    const message = this.#messages.get(String(line["id"]));
    if (message === undefined) return refused("no_such_message");
    const { id, room } = message;
    this.shown.add({ kind: "reaction", conversation: room, messageId: id, text: String(line["emoji"]), raw: line });
    return { type: "done", id };
  }

  #fetch({ id, maxBytes }: Line): Line {
    const bytes = this.#files.get(String(id));
    if (bytes === undefined) return refused("no_such_file");
    if (bytes.length > Number(maxBytes)) return refused("too_large");
    return { type: "file", data: Buffer.from(bytes).toString("base64") };
  }

  /** The newest `limit` ones before `before`, the newest first. */
  #history({ room, limit, before }: Line): Line {
    if (!this.#rooms.has(String(room))) return refused("no_such_room");
    const inRoom = [...this.#messages.values()].filter((message) => message.room === room);
    const end = inRoom.findIndex(({ id }) => id === before);
    const messages = inRoom.slice(0, end === -1 ? undefined : end).toReversed();
    return {
      type: "past",
      messages: messages.slice(0, Number(limit)).map(({ user, text, atMs }) => ({ user, text, atMs })),
    };
  }

  #offer(commands: unknown): Line {
    if (!Array.isArray(commands)) return refused("bad_commands");
    const names = (commands as readonly Line[]).map(({ name }) => String(name));
    if (!names.every((name) => commandForm.test(name))) return refused("bad_commands");
    this.offered.set(names);
    return { type: "done", id: "" };
  }

  #write(message: Omit<Message, "id" | "atMs">): Message {
    const written = { ...message, id: this.#nextId(), atMs: Date.now() };
    this.#messages.set(written.id, written);
    return written;
  }

  #event(type: string, { id: of, room }: Message, details: Line): EventLine {
    return { type, id: this.#nextId(), of, room, ...details };
  }

  #message(id: string): Message {
    const message = this.#messages.get(id);
    if (message === undefined) throw new TypeError(`There is no message ${id}`);
    return message;
  }

  #nextId(): string {
    this.#lastId += 1;
    return `a${this.#lastId}`;
  }
}

function refused(reason: string): Line {
  return { type: "refused", reason };
}
