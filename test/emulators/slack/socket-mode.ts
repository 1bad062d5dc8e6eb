/** Slack's side of Socket Mode: tickets, HELLO, envelopes with acknowledgements, and what was not acknowledged again. */
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { WebSocketServer, type WebSocket } from "ws";
import { Observed } from "../../conformance/observed.ts";
import type { Json } from "./workspace.ts";

/** One thing to be told. `id` is what it is known by to the tests: a message's ts, a trigger's id. */
export type Delivery = {
  readonly id: string;
  readonly type: "events_api" | "slash_commands" | "interactive";
  readonly body: Json;
  /** The first has its answer. */
  attempts: number;
  envelope: string;
  isAcknowledged: boolean;
};

/** How an upgrade is answered: with HELLO, with silence after it, or never. */
export type HelloBehaviour = "hello" | "no_hello" | "no_upgrade";

type Connection = { readonly socket: WebSocket; readonly raw: Socket; isFrozen: boolean };

/** The connections of one app. */
export class SocketMode implements Disposable {
  /** What acknowledgements said, by delivery. */
  readonly answers = new Observed<{ readonly id: string; readonly payload: Json }>();
  /** Misbehaviour of the client: unknown or repeated acknowledgements. */
  readonly complaints: string[] = [];
  behaviour: HelloBehaviour = "hello";
  /** The most that were open at once. */
  mostLive = 0;
  total = 0;
  readonly #server = new WebSocketServer({ noServer: true, autoPong: false });
  readonly #connections = new Set<Connection>();
  readonly #deliveries: Delivery[] = [];
  readonly #tickets = new Set<string>();
  readonly #waiting: Socket[] = [];
  #lastTicket = 0;
  #lastEnvelope = 0;

  get live(): number {
    return this.#connections.size;
  }

  get deliveries(): readonly Delivery[] {
    return this.#deliveries;
  }

  /** One more way in, for one use. */
  ticket(): string {
    this.#lastTicket += 1;
    const ticket = `ticket-${this.#lastTicket}`;
    this.#tickets.add(ticket);
    return ticket;
  }

  upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const ticket = new URL(request.url ?? "/", "http://slack").searchParams.get("ticket") ?? "";
    if (this.behaviour === "no_upgrade") {
      this.#waiting.push(socket);
      return;
    }
    if (!this.#tickets.delete(ticket)) {
      socket.end("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");
      return;
    }
    this.#server.handleUpgrade(request, socket, head, (webSocket) => this.#onConnection(webSocket, socket));
  }

  /** Tells the app. Without a connection it waits for one. */
  deliver(delivery: Pick<Delivery, "id" | "type" | "body">): void {
    const added: Delivery = { ...delivery, attempts: 0, envelope: "", isAcknowledged: false };
    this.#deliveries.push(added);
    this.#send(added);
  }

  /** Tells it once more, as after a lost acknowledgement. */
  repeat(id: string): void {
    for (const delivery of this.#deliveries.filter((each) => each.id === id)) {
      delivery.isAcknowledged = false;
      this.#send(delivery);
    }
  }

  /** Sends a frame as it is. */
  sendRaw(frame: string | Buffer): void {
    for (const { socket } of this.#connections) socket.send(frame);
  }

  /** Asks the app for a new connection, as Slack does every few hours. */
  refresh(reason = "refresh_requested"): void {
    this.sendRaw(JSON.stringify({ type: "disconnect", reason, debug_info: { host: "wss-1" } }));
  }

  drop(): void {
    for (const { socket } of this.#connections) socket.terminate();
    for (const socket of this.#waiting.splice(0)) socket.destroy();
  }

  freeze(): void {
    for (const connection of this.#connections) {
      connection.isFrozen = true;
      // Read and thrown away, so that the end of the socket still shows.
      connection.raw.removeAllListeners("data");
      connection.raw.resume();
    }
  }

  [Symbol.dispose](): void {
    this.drop();
    this.#server.close();
  }

  #onConnection(socket: WebSocket, raw: Socket): void {
    const connection = { socket, raw, isFrozen: false };
    this.#connections.add(connection);
    this.total += 1;
    this.mostLive = Math.max(this.mostLive, this.#connections.size);
    socket.on("error", () => {});
    socket.on("close", () => this.#connections.delete(connection));
    socket.on("ping", (data) => {
      if (!connection.isFrozen) socket.pong(data);
    });
    socket.on("message", (data: Buffer) => this.#onMessage(data));
    if (this.behaviour === "no_hello") return;
    const hello = { type: "hello", num_connections: 1, connection_info: { app_id: "A0APP" }, debug_info: {} };
    socket.send(JSON.stringify(hello));
    socket.ping();
    for (const delivery of this.#deliveries) if (!delivery.isAcknowledged) this.#send(delivery);
  }

  #send(delivery: Delivery): void {
    // Any one of the connections; the last is as good as the others.
    const connection = [...this.#connections].at(-1);
    if (connection === undefined || connection.isFrozen) return;
    this.#lastEnvelope += 1;
    delivery.envelope = `env-${this.#lastEnvelope}`;
    const retry =
      delivery.type === "events_api"
        ? { retry_attempt: delivery.attempts, retry_reason: delivery.attempts === 0 ? "" : "timeout" }
        : {};
    delivery.attempts += 1;
    connection.socket.send(
      JSON.stringify({
        envelope_id: delivery.envelope,
        type: delivery.type,
        accepts_response_payload: delivery.type !== "events_api",
        payload: delivery.body,
        ...retry,
      }),
    );
  }

  #onMessage(data: Buffer): void {
    const frame = JSON.parse(data.toString()) as { envelope_id?: string; payload?: Json };
    const delivery = this.#deliveries.find(({ envelope }) => envelope === frame.envelope_id);
    if (delivery === undefined) {
      this.complaints.push(`unknown envelope ${String(frame.envelope_id)}`);
      return;
    }
    if (delivery.isAcknowledged) this.complaints.push(`acknowledged twice: ${delivery.id}`);
    delivery.isAcknowledged = true;
    this.answers.add({ id: delivery.id, payload: frame.payload ?? {} });
  }
}
