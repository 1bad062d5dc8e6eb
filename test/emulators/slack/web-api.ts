/** Slack's Web API methods over a {@link Workspace}: they refuse what Slack refuses, in its words. */
import { blocksFault } from "./block-rules.ts";
import { botId, botUser, teamId, type Json, type SlackMessage, type Workspace } from "./workspace.ts";

/** What a call made the workspace show. */
export type Shown = {
  readonly kind: "message" | "edit" | "reaction" | "reaction_removed" | "file" | "ephemeral" | "scheduled" | "status";
  readonly channel: string;
  readonly ts: string;
  readonly text: string;
  readonly raw: Json;
};

/** What the methods work with. */
export type WebApiOptions = {
  readonly workspace: Workspace;
  readonly botToken: string;
  readonly appToken: string;
  /** The address of one more Socket Mode connection. */
  readonly socketUrl: () => string;
  /** `http://127.0.0.1:PORT`, for uploads and downloads. */
  readonly baseUrl: () => string;
  readonly onShown: (shown: Shown) => void;
  /** Scopes that the bot token has. */
  readonly scopes: Set<string>;
};

type Method = (request: Json) => Json;

/** A refusal: `{ ok: false, error }`. */
class Refusal extends Error {
  readonly fields: Json;

  constructor(error: string, fields: Json = {}) {
    super(error);
    this.fields = fields;
  }
}

/** The methods of one workspace. */
export class WebApi {
  /** The last status per thread, `CHANNEL/TS`. */
  readonly statuses = new Map<string, string>();
  readonly #options: WebApiOptions;
  readonly #uploads = new Map<
    string,
    { readonly filename: string; readonly length: number; bytes: Uint8Array | null }
  >();
  #lastFile = 0;

  constructor(options: WebApiOptions) {
    this.#options = options;
  }

  /** One call. `token` is what its Authorization header or form said. */
  call(method: string, token: string, request: Json): Json {
    try {
      const isApp = method === "apps.connections.open";
      if (token === "") throw new Refusal("not_authed");
      if (token !== (isApp ? this.#options.appToken : this.#options.botToken)) throw new Refusal("invalid_auth");
      const run = this.#methods[method];
      if (run === undefined) throw new Refusal("unknown_method");
      const scope = scopes[method];
      if (scope !== undefined && !this.#options.scopes.has(scope))
        throw new Refusal("missing_scope", { needed: scope, provided: [...this.#options.scopes].join(",") });
      return { ok: true, ...run(request) };
    } catch (reason) {
      if (reason instanceof Refusal) return { ok: false, error: reason.message, ...reason.fields };
      throw reason;
    }
  }

  /** The bytes of an upload; `false` for one that nobody announced, or of another length. */
  put(id: string, bytes: Uint8Array): boolean {
    const upload = this.#uploads.get(id);
    if (upload === undefined || upload.length !== bytes.length) return false;
    upload.bytes = bytes;
    return true;
  }

  /** A file of somebody's, as it comes with a message. */
  addFile(filename: string, mimeType: string, bytes: Uint8Array): Json {
    this.#lastFile += 1;
    const id = `F0${this.#lastFile}`;
    const url = `${this.#options.baseUrl()}/files-pri/${id}/${encodeURIComponent(filename)}`;
    const fields = {
      id,
      name: filename,
      title: filename,
      mimetype: mimeType,
      mode: "hosted",
      size: bytes.length,
      url_private: url,
      url_private_download: url,
    };
    this.#options.workspace.files.set(id, { fields, bytes });
    return fields;
  }

  readonly #methods: Readonly<Record<string, Method>> = {
    "auth.test": () => ({
      url: "https://x.slack.com/",
      team: "Team",
      user: "bulkhead",
      team_id: teamId,
      user_id: botUser,
      bot_id: botId,
    }),
    "apps.connections.open": () => ({ url: this.#options.socketUrl() }),
    "users.info": ({ user }) => ({ user: this.#options.workspace.users.get(String(user)) ?? refuse("user_not_found") }),
    "users.conversations": () => ({
      channels: [...this.#options.workspace.channels.values()].map(({ id, name }) => ({ id, name })),
      response_metadata: { next_cursor: "" },
    }),
    "conversations.info": ({ channel }) => {
      const { id, name } = this.#channel(channel);
      return { channel: { id, ...(name === "" ? { is_im: true } : { name }) } };
    },
    "conversations.open": ({ users }) => {
      if (!this.#options.workspace.users.has(String(users))) throw new Refusal("user_not_found");
      return { channel: { id: `D0${String(users).slice(2)}` } };
    },
    "conversations.history": (request) =>
      this.#page(this.#options.workspace.rootsOf(this.#channel(request["channel"]).id).toReversed(), request),
    "conversations.replies": (request) => {
      const { id } = this.#channel(request["channel"]);
      const thread = this.#options.workspace.threadOf(id, String(request["ts"]));
      if (thread.length === 0) throw new Refusal("thread_not_found");
      const [root, ...replies] = thread;
      const page = this.#page(replies, request);
      return { ...page, messages: [root, ...(page["messages"] as readonly SlackMessage[])] };
    },
    "chat.postMessage": (request) => {
      const message = this.#post(request);
      this.#show("message", request, message.ts);
      return { channel: request["channel"], ts: message.ts, message };
    },
    "chat.update": (request) => {
      const { id } = this.#channel(request["channel"]);
      const message = this.#options.workspace.find(id, String(request["ts"])) ?? refuse("message_not_found");
      if (message.user !== botUser) throw new Refusal("cant_update_message");
      const shown = content(request);
      Object.assign(message, shown, { edited: { user: botUser, ts: this.#options.workspace.nextTs() } });
      this.#show("edit", request, message.ts);
      return { channel: id, ts: message.ts, text: message.text };
    },
    "chat.postEphemeral": (request) => {
      this.#channel(request["channel"]);
      if (!this.#options.workspace.users.has(String(request["user"]))) throw new Refusal("user_not_in_channel");
      content(request);
      const ts = this.#options.workspace.nextTs();
      this.#show("ephemeral", request, ts);
      return { message_ts: ts };
    },
    "chat.scheduleMessage": (request) => {
      this.#channel(request["channel"]);
      content(request);
      const at = Number(request["post_at"]);
      if (!Number.isInteger(at)) throw new Refusal("invalid_time");
      if (at <= Date.now() / 1000) throw new Refusal("time_in_past");
      if (at > Date.now() / 1000 + 120 * 86_400) throw new Refusal("time_too_far");
      const id = `Q${this.#options.workspace.nextTs()}`;
      this.#show("scheduled", request, id);
      return { channel: request["channel"], scheduled_message_id: id, post_at: at };
    },
    "reactions.add": (request) => this.#react(request, true),
    "reactions.remove": (request) => this.#react(request, false),
    "files.getUploadURLExternal": ({ filename, length }) => {
      if (typeof filename !== "string" || filename === "" || !(Number(length) > 0))
        throw new Refusal("invalid_arguments");
      this.#lastFile += 1;
      const id = `F0${this.#lastFile}`;
      this.#uploads.set(id, { filename, length: Number(length), bytes: null });
      return { upload_url: `${this.#options.baseUrl()}/upload/v1/${id}`, file_id: id };
    },
    "files.completeUploadExternal": (request) => this.#completeUpload(request),
    "files.info": ({ file }) => ({
      file: this.#options.workspace.files.get(String(file))?.fields ?? refuse("file_not_found"),
    }),
    "assistant.threads.setStatus": ({ channel_id: channel, thread_ts: ts, status }) => {
      if (this.#options.workspace.find(this.#channel(channel).id, String(ts)) === undefined)
        throw new Refusal("invalid_thread_ts");
      this.statuses.set(`${String(channel)}/${String(ts)}`, String(status));
      this.#options.onShown({
        kind: "status",
        channel: String(channel),
        ts: String(ts),
        text: String(status),
        raw: {},
      });
      return {};
    },
  };

  #channel(id: unknown): { readonly id: string; readonly name: string } {
    const { workspace } = this.#options;
    return workspace.channelOf(String(id)) ?? refuse("channel_not_found");
  }

  #post(request: Json): SlackMessage {
    const { id } = this.#channel(request["channel"]);
    const thread = request["thread_ts"];
    if (thread !== undefined && this.#options.workspace.find(id, textIn(thread)) === undefined)
      throw new Refusal("invalid_thread_ts");
    const metadata = parsed(request["metadata"]);
    return this.#options.workspace.add(id, {
      ...content(request),
      user: botUser,
      bot_id: botId,
      app_id: "A0APP",
      team: teamId,
      ...(thread === undefined ? {} : { thread_ts: textIn(thread) }),
      ...(metadata === undefined ? {} : { metadata }),
    });
  }

  #react(request: Json, isAdded: boolean): Json {
    const { id } = this.#channel(request["channel"]);
    const message = this.#options.workspace.find(id, String(request["timestamp"])) ?? refuse("message_not_found");
    const name = String(request["name"]);
    if (!/^[a-z0-9_+':-]+$/u.test(name)) throw new Refusal("invalid_name");
    const reactions = (message["reactions"] ?? []) as { name: string; users: string[] }[];
    const has = reactions.some((reaction) => reaction.name === name && reaction.users.includes(botUser));
    if (has === isAdded) throw new Refusal(isAdded ? "already_reacted" : "no_reaction");
    message["reactions"] = isAdded
      ? [...reactions, { name, users: [botUser], count: 1 }]
      : reactions.filter((reaction) => reaction.name !== name);
    this.#options.onShown({
      kind: isAdded ? "reaction" : "reaction_removed",
      channel: id,
      ts: message.ts,
      text: name,
      raw: request,
    });
    return {};
  }

  #completeUpload(request: Json): Json {
    const { id: channel } = this.#channel(request["channel_id"]);
    const files = parsed(request["files"]);
    if (!Array.isArray(files) || files.length === 0) throw new Refusal("invalid_arguments");
    const shared = (files as readonly Json[]).map(({ id }) => {
      const upload = this.#uploads.get(String(id));
      if (upload === undefined || upload.bytes === null) throw new Refusal("file_not_found");
      this.#uploads.delete(String(id));
      const url = `${this.#options.baseUrl()}/files-pri/${String(id)}/${upload.filename}`;
      const fields = { id, name: upload.filename, size: upload.length, url_private: url, mimetype: "text/plain" };
      this.#options.workspace.files.set(String(id), { fields, bytes: upload.bytes });
      return fields;
    });
    const thread = request["thread_ts"];
    const message = this.#options.workspace.add(channel, {
      text: textIn(request["initial_comment"]),
      user: botUser,
      bot_id: botId,
      files: shared,
      ...(thread === undefined ? {} : { thread_ts: textIn(thread) }),
    });
    for (const file of shared)
      this.#options.onShown({ kind: "file", channel, ts: message.ts, text: file.name, raw: request });
    return { files: shared.map(({ id }) => ({ id })) };
  }

  #page(messages: readonly SlackMessage[], request: Json): Json {
    const limit = Math.min(1000, Number(request["limit"] ?? 100));
    const oldest = Number(request["oldest"] ?? 0);
    const latest = Number(request["latest"] ?? Number.POSITIVE_INFINITY);
    const isInclusive = String(request["inclusive"]) === "true";
    const hidesMetadata = String(request["include_all_metadata"]) !== "true";
    const inRange = messages.filter(({ ts }) =>
      isInclusive ? Number(ts) >= oldest && Number(ts) <= latest : Number(ts) > oldest && Number(ts) < latest,
    );
    const start = Number(request["cursor"] ?? 0);
    const end = start + limit;
    const page = inRange.slice(start, end).map((message) => {
      if (!hidesMetadata) return message;
      const { metadata: _, ...rest } = message;
      return rest;
    });
    const hasMore = end < inRange.length;
    return {
      messages: page,
      has_more: hasMore,
      response_metadata: { next_cursor: hasMore ? String(end) : "" },
    };
  }

  #show(kind: Shown["kind"], request: Json, ts: string): void {
    this.#options.onShown({ kind, channel: String(request["channel"]), ts, text: readable(request), raw: request });
  }
}

const scopes: Readonly<Record<string, string>> = {
  "apps.connections.open": "connections:write",
  "chat.postMessage": "chat:write",
  "chat.update": "chat:write",
  "reactions.add": "reactions:write",
  "files.getUploadURLExternal": "files:write",
  "files.info": "files:read",
  "users.info": "users:read",
  "conversations.history": "channels:history",
  "conversations.replies": "channels:history",
};

/** Every scope that some method wants. */
export const allScopes: readonly string[] = [...new Set(Object.values(scopes))];

/** Text and blocks as they are stored, refused where Slack refuses them. */
function content(request: Json): { text: string; blocks?: unknown } {
  const text = textIn(request["text"]);
  const blocks = parsed(request["blocks"]);
  if (text === "" && (blocks === undefined || (blocks as readonly unknown[]).length === 0))
    throw new Refusal("no_text");
  if (text.length > 40_000) throw new Refusal("msg_too_long");
  const fault = blocks === undefined ? null : blocksFault(blocks);
  if (fault !== null) throw new Refusal("invalid_blocks", { response_metadata: { messages: [`[ERROR] ${fault}`] } });
  return { text, ...(blocks === undefined ? {} : { blocks }) };
}

/** What a person reads: of the blocks where there are some, else the text. */
function readable(request: Json): string {
  const blocks = (parsed(request["blocks"]) ?? []) as readonly Json[];
  const texts = blocks.flatMap((block) => {
    if (block["type"] === "markdown") return [String(block["text"]).replaceAll(/\*\*(.+?)\*\*/gu, "$1")];
    const text = (block["text"] as Json | undefined)?.["text"];
    const fields = (block["fields"] as readonly Json[] | undefined) ?? [];
    return [text, ...fields.map((field) => field["text"])].filter((each) => typeof each === "string").map(unescaped);
  });
  return texts.length > 0 ? texts.join("\n") : unescaped(textIn(request["text"]));
}

function unescaped(text: string): string {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

/** A text, as a form or JSON carries it. */
function textIn(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** Forms carry JSON as text. */
function parsed(value: unknown): unknown {
  return typeof value === "string" && value !== "" ? (JSON.parse(value) as unknown) : value === "" ? undefined : value;
}

function refuse(error: string): never {
  throw new Refusal(error);
}
