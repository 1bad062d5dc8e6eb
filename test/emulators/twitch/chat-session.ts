/** One client's connection to the emulated chat: what it is answered, line by line. */
import type { Socket } from "node:net";
import type { WebSocket } from "ws";
import { Observed } from "../../conformance/observed.ts";
import {
  annAccount,
  botAccount,
  slowMode,
  type Account,
  type Channel,
  type ChatWorld,
  type Notice,
} from "./chat-world.ts";
import { parseClientLine, serverLine, type ClientLine, type Tags } from "./irc.ts";

/** What a session asks of its server. */
export type SessionHost = {
  readonly world: ChatWorld;
  /** Whose token; `null`: it is not valid. */
  accountOf(token: string): { readonly login: string } | null;
  /** Called for each PRIVMSG; `true`: something else became of it. */
  meetsSendFault(session: ChatSession): boolean;
  /** Something was said. */
  onSaid(said: Said): void;
  onJoined(): void;
  /** How a PING is answered. */
  pongForm(): "bare" | "prefixed" | "none";
  /** `false`: capabilities are neither granted nor refused. */
  knowsCapabilities(): boolean;
  sendsWelcome(): boolean;
};

/** A message of the bot's. */
export type Said = {
  readonly session: ChatSession;
  readonly channel: Channel;
  readonly messageId: string;
  readonly text: string;
  readonly tags: Tags;
};

const server = "tmi.twitch.tv";
const joinWindowMs = 10_000;
const mostJoins = 20;

/** One connection. */
export class ChatSession {
  readonly socket: WebSocket;
  readonly raw: Socket;
  /** Every line that came. */
  readonly lines = new Observed<string>();
  readonly joined = new Set<string>();
  /** The login is refused whatever the token. */
  isRefused = false;
  isFrozen = false;
  account: Account | null = null;
  readonly #host: SessionHost;
  readonly #capabilities = new Set<string>();
  readonly #joinsAtMs: number[] = [];
  #token = "";
  #onPong: (text: string) => void = () => {};

  constructor(socket: WebSocket, raw: Socket, host: SessionHost) {
    this.socket = socket;
    this.raw = raw;
    this.#host = host;
    socket.on("error", () => {});
    socket.on("message", (data: Buffer) => {
      for (const text of data.toString().split("\r\n")) this.#onText(text);
    });
  }

  get isLoggedIn(): boolean {
    return this.account !== null;
  }

  /** Sends lines in one frame, each with tags only if the client asked for them. */
  send(...lines: readonly string[]): void {
    if (this.isFrozen || lines.length === 0) return;
    this.socket.send(`${lines.join("\r\n")}\r\n`);
  }

  /** One line of the server's, with what the client may see of it. */
  line(tags: Tags, rest: string, prefix = server): string {
    return serverLine(this.#capabilities.has("twitch.tv/tags") ? tags : {}, prefix, rest);
  }

  notice(channel: string, { id, text }: Notice): void {
    if (this.#capabilities.has("twitch.tv/commands"))
      this.send(this.line({ "msg-id": id }, `NOTICE #${channel} :${text}`));
  }

  refuseLogin(text: string): void {
    this.send(`:${server} NOTICE * :${text}`);
    this.socket.close();
  }

  /** Resolves once the client has read all that was sent to it, or has closed the connection over it. */
  async digested(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.socket.once("close", () => resolve());
    this.#onPong = (text) => {
      if (text === "digested") resolve();
    };
    this.send("PING :digested");
    await promise;
  }

  /** Cuts its socket: from now on nobody hears anything here. */
  cut(): void {
    this.joined.clear();
    this.raw.resetAndDestroy();
  }

  /** Nothing comes through any more, either way, but the end of the socket. */
  freeze(): void {
    this.isFrozen = true;
    this.raw.removeAllListeners("data");
    this.raw.resume();
  }

  #onText(text: string): void {
    if (text === "" || this.isFrozen) return;
    this.lines.add(text);
    const line = parseClientLine(text);
    if (line !== null) this.#onLine(line);
  }

  #onLine(line: ClientLine): void {
    const [first = ""] = line.params;
    switch (line.command) {
      case "CAP":
        return this.#onCapabilities(line.params[1] ?? "");
      case "PASS":
        this.#token = first;
        return;
      case "NICK":
        return this.#onNick(first);
      case "PING":
        return this.#onPing(first);
      case "PONG":
        return this.#onPong(first);
      case "JOIN":
        for (const name of first.split(",")) this.#onJoin(name.replace(/^#/u, "").toLowerCase());
        return;
      case "PRIVMSG":
        return this.#onPrivateMessage(line);
      default:
        this.send(`:${server} 421 ${this.account?.login ?? "you"} ${line.command} :Unknown command`);
    }
  }

  #onCapabilities(asked: string): void {
    if (!this.#host.knowsCapabilities()) return;
    for (const capability of asked.split(" ")) this.#capabilities.add(capability);
    this.send(`:${server} CAP * ACK :${asked}`);
  }

  #onNick(nick: string): void {
    if (!this.#token.startsWith("oauth:")) return this.refuseLogin("Improperly formatted auth");
    const owner = this.isRefused ? null : this.#host.accountOf(this.#token.slice("oauth:".length));
    if (owner === null) return this.refuseLogin("Login authentication failed");
    if (!this.#host.sendsWelcome()) return;
    // Twitch goes by the token, whatever the nick.
    this.account = owner.login === botAccount.login ? botAccount : { ...annAccount, login: nick };
    const { login, userId, displayName } = this.account;
    this.send(
      `:${server} 001 ${login} :Welcome, GLHF!`,
      `:${server} 002 ${login} :Your host is ${server}`,
      `:${server} 003 ${login} :This server is rather new`,
      `:${server} 004 ${login} :-`,
      `:${server} 375 ${login} :-`,
      `:${server} 372 ${login} :You are in a maze of twisty passages, all alike.`,
      `:${server} 376 ${login} :>`,
    );
    const tags = { "badge-info": "", badges: "", color: "", "display-name": displayName, "emote-sets": "0" };
    if (this.#capabilities.has("twitch.tv/commands"))
      this.send(this.line({ ...tags, "user-id": userId, "user-type": "" }, "GLOBALUSERSTATE"));
  }

  #onPing(text: string): void {
    const form = this.#host.pongForm();
    if (form === "prefixed") this.send(`:${server} PONG ${server} :${text}`);
    if (form === "bare") this.send(`PONG :${text}`);
  }

  #onJoin(name: string): void {
    const { account } = this;
    const nowMs = Date.now();
    this.#joinsAtMs.push(nowMs);
    const recent = this.#joinsAtMs.filter((atMs) => nowMs - atMs < joinWindowMs);
    const channel = this.#host.world.channels.get(name);
    // Of a channel that nobody owns, and of a JOIN too many, Twitch says nothing.
    if (account === null || channel === undefined || channel.isDeaf || recent.length > mostJoins) return;
    if (channel.isSuspended)
      return this.notice(name, {
        id: "msg_channel_suspended",
        text: "This channel does not exist or has been suspended.",
      });
    if (channel.banned.has(account.login))
      return this.notice(name, { id: "msg_banned", text: `You are permanently banned from talking in ${name}.` });
    this.joined.add(name);
    const { login } = account;
    const host = `${login}.${server}`;
    this.send(
      `:${login}!${login}@${host} JOIN #${name}`,
      `:${host} 353 ${login} = #${name} :${login}`,
      `:${host} 366 ${login} #${name} :End of /NAMES list`,
    );
    if (this.#capabilities.has("twitch.tv/commands"))
      this.send(this.#userState(channel, {}), this.line(roomTags(channel), `ROOMSTATE #${name}`));
    this.#host.onJoined();
  }

  /** Puts the client out of a channel. */
  part(name: string): void {
    this.joined.delete(name);
    const login = this.account?.login ?? "";
    this.send(`:${login}!${login}@${login}.${server} PART #${name}`);
  }

  #onPrivateMessage({ tags, params: [target = "", text = ""] }: ClientLine): void {
    const { account } = this;
    const channel = this.#host.world.channels.get(target.replace(/^#/u, ""));
    if (account === null || channel === undefined || text === "") return;
    if (this.#host.meetsSendFault(this)) return;
    const verdict = this.#host.world.take(account.login, channel, text);
    if (verdict === "silence") return;
    if (verdict !== "taken") return this.notice(channel.login, verdict);
    const messageId = this.#host.world.newMessageId();
    const nonce = tags["client-nonce"];
    if (this.#capabilities.has("twitch.tv/commands"))
      this.send(this.#userState(channel, { id: messageId, ...(nonce === undefined ? {} : { "client-nonce": nonce }) }));
    this.#host.onSaid({ session: this, channel, messageId, text, tags });
  }

  /** Slow mode, in the words that say for how long. */
  refuseForSeconds(seconds: number): void {
    for (const name of this.joined) this.notice(name, slowMode(seconds));
  }

  #userState(channel: Channel, more: Tags): string {
    const login = this.account?.login ?? "";
    const tags = {
      "badge-info": "",
      badges: this.#host.world.badgesOf(login, channel),
      color: "",
      "display-name": this.account?.displayName ?? "",
      "emote-sets": "0",
      mod: channel.moderators.has(login) ? "1" : "0",
      subscriber: "0",
      "user-type": channel.moderators.has(login) ? "mod" : "",
    };
    return this.line({ ...tags, ...more }, `USERSTATE #${channel.login}`);
  }
}

function roomTags(channel: Channel): Tags {
  return {
    "emote-only": channel.isEmoteOnly ? "1" : "0",
    "followers-only": "-1",
    r9k: "0",
    "room-id": channel.roomId,
    slow: String(channel.slowSeconds),
    "subs-only": "0",
  };
}
