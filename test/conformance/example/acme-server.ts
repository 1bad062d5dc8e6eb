/** Acme itself, as far as its documentation says: what it refuses, what it gives again, and its faults on command. */
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { createInterface } from "node:readline";
import type { FaultPlace, PlatformFault, ShownItem } from "../emulated-platform.ts";
import { Observed } from "../observed.ts";

type Line = Readonly<Record<string, unknown>>;
/** A message as Acme keeps it until it is acknowledged. */
export type KeptMessage = Line & { readonly id: string };
type Client = { readonly socket: Socket; isLoggedIn: boolean; isFrozen: boolean };

const longestCodePoints = 500;

/** A server on a free port of loopback. */
export class AcmeServer implements AsyncDisposable {
  readonly shown = new Observed<ShownItem>();
  readonly acknowledged = new Observed<string>();
  readonly faultsMet = new Observed<FaultPlace>();
  readonly files = new Map<string, Uint8Array>();
  readonly rooms: ReadonlySet<string>;
  totalConnections = 0;
  readonly #token: string;
  readonly #server: Server;
  readonly #clients = new Set<Client>();
  readonly #messages: KeptMessage[] = [];
  readonly #faults = new Map<FaultPlace, PlatformFault>();
  readonly #used = new Map<FaultPlace, number>();
  #onEmpty: (() => void)[] = [];
  #lastId = 0;

  private constructor(server: Server, token: string, rooms: readonly string[]) {
    this.#server = server;
    this.#token = token;
    this.rooms = new Set(rooms);
    server.on("connection", (socket) => this.#onConnection(socket));
  }

  static async start(token: string, rooms: readonly string[]): Promise<AcmeServer> {
    const server = createServer({ noDelay: true });
    const listening = Promise.withResolvers<void>();
    server.listen(0, "127.0.0.1", listening.resolve);
    await listening.promise;
    return new AcmeServer(server, token, rooms);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get openSockets(): number {
    return this.#clients.size;
  }

  get liveConnections(): number {
    return [...this.#clients].filter(({ isLoggedIn }) => isLoggedIn).length;
  }

  async allSocketsClosed(): Promise<void> {
    if (this.#clients.size > 0) await new Promise<void>((resolve) => this.#onEmpty.push(resolve));
  }

  nextId(): string {
    this.#lastId += 1;
    return `a${this.#lastId}`;
  }

  /** Keeps a message and gives it to whoever is logged in. */
  say(message: KeptMessage): void {
    this.#messages.push(message);
    this.#broadcast({ type: "message", ...message });
  }

  repeat(id: string): void {
    const message = this.#messages.find((kept) => kept.id === id);
    if (message !== undefined) this.#broadcast({ type: "message", ...message });
  }

  /** Sends bytes that are no line of the protocol. */
  sendRaw(bytes: string | Uint8Array): void {
    for (const { socket } of this.#loggedIn()) socket.write(bytes);
  }

  setFault(place: FaultPlace, fault: PlatformFault): void {
    this.#faults.set(place, fault);
    this.#used.set(place, 0);
  }

  /** What hangs is cut. */
  liftFault(place: FaultPlace): void {
    this.#faults.delete(place);
    for (const { socket, isLoggedIn } of this.#clients) if (!isLoggedIn) socket.destroy();
  }

  dropConnections(): void {
    for (const { socket } of this.#clients) socket.resetAndDestroy();
  }

  freezeConnections(): void {
    for (const client of this.#clients) client.isFrozen = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { socket } of this.#clients) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #loggedIn(): readonly Client[] {
    return [...this.#clients].filter(({ isLoggedIn, isFrozen }) => isLoggedIn && !isFrozen);
  }

  #broadcast(line: Line): void {
    for (const client of this.#loggedIn()) this.#write(client, line);
  }

  #write(client: Client, line: Line): void {
    if (!client.isFrozen && !client.socket.destroyed) client.socket.write(`${JSON.stringify(line)}\n`);
  }

  #onConnection(socket: Socket): void {
    const client: Client = { socket, isLoggedIn: false, isFrozen: false };
    this.#clients.add(client);
    // A reset is no news here: `close` follows.
    socket.on("error", () => {});
    socket.once("close", () => {
      this.#clients.delete(client);
      if (this.#clients.size > 0) return;
      for (const resolve of this.#onEmpty) resolve();
      this.#onEmpty = [];
    });
    const lines = createInterface({ input: socket });
    lines.on("error", () => {});
    lines.on("line", (text) => {
      if (!client.isFrozen) this.#onLine(client, JSON.parse(text) as Line);
    });
  }

  #onLine(client: Client, line: Line): void {
    if (line["type"] === "login") this.#onLogin(client, line);
    else if (!client.isLoggedIn) client.socket.destroy();
    else if (line["type"] === "ping") this.#write(client, { type: "pong", ref: line["ref"] });
    else if (line["type"] === "ack") this.#onAck(String(line["id"]));
    else if (line["type"] === "fetch") this.#write(client, this.#fileAnswer(line));
    else if (!this.#meetsFault("send", client, line)) this.#write(client, this.#show(line));
  }

  #onLogin(client: Client, line: Line): void {
    if (this.#meetsFault("connect", client, line)) return;
    if (line["token"] !== this.#token) {
      client.socket.end(`${JSON.stringify({ type: "refused", reason: "bad_token" })}\n`);
      return;
    }
    client.isLoggedIn = true;
    this.totalConnections += 1;
    this.#write(client, { type: "welcome" });
    for (const message of this.#messages)
      if (!this.acknowledged.items.includes(message.id)) this.#write(client, { type: "message", ...message });
  }

  #onAck(id: string): void {
    if (!this.acknowledged.items.includes(id)) this.acknowledged.add(id);
  }

  #fileAnswer({ id, maxBytes, ref }: Line): Line {
    const bytes = this.files.get(String(id));
    if (bytes === undefined) return { type: "refused", ref, reason: "no_such_file" };
    if (bytes.length > Number(maxBytes)) return { type: "refused", ref, reason: "too_large" };
    return { type: "file", ref, data: Buffer.from(bytes).toString("base64") };
  }

  #show(line: Line): Line {
    const { type, ref } = line;
    const conversation = String(line["room"]);
    if (!this.rooms.has(conversation)) return { type: "refused", ref, reason: "no_such_room" };
    if (type === "react") {
      const messageId = String(line["id"]);
      if (!this.#messages.some(({ id }) => id === messageId))
        return { type: "refused", ref, reason: "no_such_message" };
      this.shown.add({ kind: "reaction", conversation, messageId, text: String(line["emoji"]), raw: line });
      return { type: "done", ref, id: messageId };
    }
    const text = String(line["text"]);
    if (type !== "say" || text === "") return { type: "refused", ref, reason: "unknown_type" };
    if (Array.from(text).length > longestCodePoints) return { type: "refused", ref, reason: "too_long" };
    const messageId = this.nextId();
    this.shown.add({ kind: "message", conversation, messageId, text, raw: line });
    return { type: "done", ref, id: messageId };
  }

  /** Does what the fault at `place` does, if there is one. */
  #meetsFault(place: FaultPlace, client: Client, { ref }: Line): boolean {
    const fault = this.#faults.get(place);
    const used = this.#used.get(place) ?? 0;
    if (fault === undefined || ("times" in fault && used >= fault.times)) return false;
    this.#used.set(place, used + 1);
    this.faultsMet.add(place);
    const isLogin = place === "connect";
    const refuse = (line: Line): void => {
      this.#write(client, { type: "refused", ref, ...line });
      if (isLogin) client.socket.end();
    };
    if (fault.kind === "drop") client.socket.resetAndDestroy();
    if (fault.kind === "bad_credentials") refuse({ reason: "bad_token" });
    if (fault.kind === "rate_limit") refuse({ reason: "busy", retryAfterSeconds: fault.retryAfterSeconds });
    if (fault.kind === "server_error") refuse({ reason: "internal" });
    return true;
  }
}
