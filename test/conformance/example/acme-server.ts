/** Acme's server, as far as its documentation says: logins, what it gives again until it is acknowledged, its faults on command. */
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { createInterface } from "node:readline";
import type { FaultPlace, PlatformFault } from "../emulated-platform.ts";
import { Observed } from "../observed.ts";
import type { AcmeWorld, EventLine, Line } from "./acme-world.ts";

type Client = { readonly socket: Socket; isLoggedIn: boolean; isFrozen: boolean };

/** Calls that make people see something: these meet the faults of sends. */
const shows: readonly unknown[] = ["say", "react"];

/** A server on a free port of loopback. */
export class AcmeServer implements AsyncDisposable {
  readonly acknowledged = new Observed<string>();
  readonly faultsMet = new Observed<FaultPlace>();
  totalConnections = 0;
  readonly #world: AcmeWorld;
  readonly #token: string;
  readonly #server: Server;
  readonly #clients = new Set<Client>();
  readonly #events: EventLine[] = [];
  readonly #faults = new Map<FaultPlace, PlatformFault>();
  readonly #used = new Map<FaultPlace, number>();
  #onEmpty: (() => void)[] = [];

  private constructor(server: Server, token: string, world: AcmeWorld) {
    this.#server = server;
    this.#token = token;
    this.#world = world;
    server.on("connection", (socket) => this.#onConnection(socket));
  }

  static async start(token: string, world: AcmeWorld): Promise<AcmeServer> {
    const server = createServer({ noDelay: true });
    const listening = Promise.withResolvers<void>();
    server.listen(0, "127.0.0.1", listening.resolve);
    await listening.promise;
    return new AcmeServer(server, token, world);
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

  /** Keeps an event until it is acknowledged, and gives it to whoever is logged in. Its id. */
  tell(event: EventLine): string {
    this.#events.push(event);
    this.#broadcast(event);
    return event.id;
  }

  /** Gives an event again, acknowledged or not. */
  repeat(id: string): void {
    const event = this.#events.find((kept) => kept.id === id);
    if (event !== undefined) this.#broadcast(event);
  }

  /** Resolves once the bot has acknowledged event `id`. */
  async acknowledgedOne(id: string): Promise<void> {
    await this.acknowledged.first((other) => other === id, `the acknowledgement of ${id}`);
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
    const { type, ref } = line;
    if (type === "login") this.#onLogin(client, line);
    else if (!client.isLoggedIn) client.socket.destroy();
    else if (type === "ping") this.#write(client, { type: "pong", ref });
    else if (type === "ack") this.#onAck(String(line["id"]));
    else if (!shows.includes(type) || !this.#meetsFault("send", client, line))
      this.#write(client, { ...this.#world.answer(line), ref });
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
    for (const event of this.#events) if (!this.acknowledged.items.includes(event.id)) this.#write(client, event);
  }

  #onAck(id: string): void {
    if (!this.acknowledged.items.includes(id)) this.acknowledged.add(id);
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
