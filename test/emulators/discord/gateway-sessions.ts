/** Discord's gateway: sessions with sequence numbers, which can be resumed where they were. {@link https://discord.com/developers/docs/events/gateway} */
import type { WebSocket } from "ws";
import type { PlatformFault } from "../../conformance/emulated-platform.ts";
import type { FaultBoard } from "../fault-board.ts";
import { fieldsOf, type Fields } from "./fields.ts";
import type { GatewayBehavior } from "./gateway-behavior.ts";
import type { World } from "./world.ts";
import type { WorldEvent } from "./world-types.ts";

type Session = {
  readonly id: string;
  readonly intents: number;
  sequence: number;
  /** Dispatches so far, for a RESUME. */
  readonly sent: { readonly s: number; readonly frame: string }[];
  socket: WebSocket | null;
};

const allIntents = 0x3_fff_fff;
const messageContent = 1 << 15;
/** What each event takes. */
const intentOf: Readonly<Record<string, readonly [guild: number, direct: number]>> = {
  MESSAGE: [1 << 9, 1 << 12],
  REACTION: [1 << 10, 1 << 13],
};

/** All sessions of the bot. */
export class GatewaySessions {
  readonly behavior: GatewayBehavior = {
    // Discord's own is 41.25 s: too long to see a half-open connection in a test.
    heartbeatMs: 5_000,
    isAnswering: true,
    hasMessageContent: true,
    closeOnIdentify: [],
    resumeAnswer: "normal",
    resumeUrl: "",
    identifiesLeft: 1_000,
    maxConcurrency: 16,
  };
  /** What clients did, such as `identify`, `resume 12`, `heartbeat`. */
  readonly log: string[] = [];
  readonly #token: string;
  readonly #world: World;
  readonly #faults: FaultBoard;
  readonly #sessions = new Map<string, Session>();
  #identifiedAtMs: readonly number[] = [];
  /** `ws://…`. */
  url = "";
  /** Called with each step in {@link GatewaySessions.log}. */
  onStep: (step: string) => void = () => {};

  constructor(token: string, world: World, faults: FaultBoard) {
    this.#token = token;
    this.#world = world;
    this.#faults = faults;
    world.onEvent = (event) => this.#dispatch(event);
  }

  /** `GET /gateway/bot`. */
  information(): Fields {
    const { identifiesLeft: remaining, maxConcurrency } = this.behavior;
    return {
      url: this.url,
      shards: 1,
      session_start_limit: { total: 1_000, remaining, reset_after: 14_400_000, max_concurrency: maxConcurrency },
    };
  }

  /** A new connection. */
  connect(socket: WebSocket): void {
    socket.send(
      JSON.stringify({ op: 10, t: null, s: null, d: { heartbeat_interval: this.behavior.heartbeatMs, _trace: [] } }),
    );
    let session: Session | null = null;
    socket.on("message", (data: Buffer, isBinary) => {
      const frame = isBinary ? null : parse(data.toString("utf8"));
      if (frame === null) return socket.close(4002, "Error while decoding payload.");
      const op = frame["op"];
      if (op === 1) return this.#heartbeat(socket, session, frame["d"]);
      if (op !== 2 && op !== 6) return socket.close(session === null ? 4003 : 4001, "Unknown opcode.");
      if (session !== null) return socket.close(4005, "Already authenticated.");
      session = op === 2 ? this.#identify(socket, fieldsOf(frame["d"])) : this.#resume(socket, fieldsOf(frame["d"]));
    });
    socket.on("close", (code) => {
      if (session?.socket !== socket) return;
      session.socket = null;
      // The client said goodbye: its session is over.
      if (code === 1000 || code === 1001) this.#sessions.delete(session.id);
    });
  }

  /** Sends a raw frame to every live session. */
  sendRaw(data: string | Uint8Array): void {
    for (const { socket } of this.#sessions.values()) socket?.send(data);
  }

  /** Sends an event to every live session again, with the next sequence number. */
  repeat(event: WorldEvent): void {
    this.#dispatch(event);
  }

  /** Asks every live client to reconnect (opcode 7). */
  askToReconnect(): void {
    this.sendRaw(JSON.stringify({ op: 7, d: null, s: null, t: null }));
  }

  /** Ends all sessions: live clients hear of it (opcode 9), others when they resume. */
  invalidate(isResumable = false): void {
    for (const session of this.#sessions.values()) {
      session.socket?.send(JSON.stringify({ op: 9, d: isResumable, s: null, t: null }));
      if (!isResumable) session.socket = null;
    }
    if (!isResumable) this.#sessions.clear();
  }

  /** Sessions are gone without a word. */
  forget(): void {
    this.#sessions.clear();
  }

  #identify(socket: WebSocket, data: Fields): Session | null {
    this.#step("identify");
    this.behavior.identifiesLeft -= 1;
    const fault = this.#faults.meet("receive");
    if (fault !== null) return obey(fault, socket);
    const intents = data["intents"];
    const forced = this.behavior.closeOnIdentify.shift();
    if (forced !== undefined) return closed(socket, forced);
    if (data["token"] !== this.#token) return closed(socket, 4004);
    if (typeof intents !== "number" || (intents & ~allIntents) !== 0) return closed(socket, 4013);
    if ((intents & messageContent) !== 0 && !this.behavior.hasMessageContent) return closed(socket, 4014);
    this.#identifiedAtMs = this.#identifiedAtMs.filter((atMs) => Date.now() - atMs < 5_000);
    if (this.#identifiedAtMs.length >= this.behavior.maxConcurrency) {
      socket.send(JSON.stringify({ op: 9, d: false, s: null, t: null }));
      return null;
    }
    this.#identifiedAtMs = [...this.#identifiedAtMs, Date.now()];
    const session: Session = { id: this.#world.nextId(), intents, sequence: 0, sent: [], socket };
    this.#sessions.set(session.id, session);
    const { bot, applicationId, guildId } = this.#world;
    this.#send(session, "READY", {
      v: 10,
      user: bot,
      guilds: [{ id: guildId, unavailable: true }],
      session_id: session.id,
      resume_gateway_url: this.behavior.resumeUrl || `${this.url}/resume`,
      session_type: "normal",
      application: { id: applicationId, flags: 0 },
    });
    const all = [...this.#world.channels.values()].filter(({ guild_id: guild }) => guild === guildId);
    this.#send(session, "GUILD_CREATE", {
      id: guildId,
      name: "Bulkhead test guild",
      channels: all.filter(({ type }) => type === 0),
      threads: all.filter(({ type }) => type === 11),
      members: [],
    });
    return session;
  }

  #resume(socket: WebSocket, data: Fields): Session | null {
    const after = Number(data["seq"]);
    this.#step(`resume ${after}`);
    const fault = this.#faults.meet("receive");
    if (fault !== null) return obey(fault, socket);
    if (data["token"] !== this.#token) return closed(socket, 4004);
    const session = this.#sessions.get(String(data["session_id"]));
    const { resumeAnswer } = this.behavior;
    if (resumeAnswer === "silence") return null;
    if (session === undefined || resumeAnswer !== "normal") {
      socket.send(JSON.stringify({ op: 9, d: resumeAnswer === true, s: null, t: null }));
      return null;
    }
    if (!Number.isInteger(after) || after > session.sequence) return closed(socket, 4007);
    if (session.socket !== null) session.socket.close(4000, "Another connection resumed this session.");
    session.socket = socket;
    for (const { s, frame } of session.sent) if (s > after) socket.send(frame);
    this.#send(session, "RESUMED", { _trace: [] });
    return session;
  }

  #heartbeat(socket: WebSocket, session: Session | null, sequence: unknown): void {
    this.#step("heartbeat");
    if (session !== null && typeof sequence === "number" && sequence > session.sequence) return socket.close(4007);
    if (this.behavior.isAnswering) socket.send(JSON.stringify({ op: 11, d: null, s: null, t: null }));
  }

  #dispatch({ type, data }: WorldEvent): void {
    for (const session of this.#sessions.values())
      if (isWanted(type, data, session.intents)) this.#send(session, type, withContent(data, session.intents));
  }

  #send(session: Session, type: string, data: Fields): void {
    session.sequence += 1;
    const frame = JSON.stringify({ op: 0, t: type, s: session.sequence, d: data });
    session.sent.push({ s: session.sequence, frame });
    session.socket?.send(frame);
  }

  #step(step: string): void {
    this.log.push(step);
    this.onStep(step);
  }
}

function isWanted(type: string, data: Fields, intents: number): boolean {
  const kind = type.includes("REACTION") ? "REACTION" : type.startsWith("MESSAGE_") ? "MESSAGE" : null;
  const [guild = 0, direct = 0] = kind === null ? [] : (intentOf[kind] ?? []);
  const needed = data["guild_id"] === undefined ? direct : guild;
  return (intents & needed) === needed;
}

/** Without the privilege a bot sees who wrote, not what. */
function withContent(data: Fields, intents: number): Fields {
  if ((intents & messageContent) !== 0 || data["content"] === undefined || data["guild_id"] === undefined) return data;
  return { ...data, content: "", embeds: [], attachments: [], components: [] };
}

function obey(fault: PlatformFault, socket: WebSocket): null {
  if (fault.kind === "hang") return null;
  if (fault.kind === "bad_credentials") return closed(socket, 4004);
  if (fault.kind === "rate_limit") return closed(socket, 4008);
  socket.terminate();
  return null;
}

function closed(socket: WebSocket, code: number): null {
  socket.close(code);
  return null;
}

function parse(text: string): Fields | null {
  try {
    return fieldsOf(JSON.parse(text));
  } catch {
    return null;
  }
}
