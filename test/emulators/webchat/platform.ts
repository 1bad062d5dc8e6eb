/** The web chat's platform is whoever has its page open: here two of them. */
import type { Socket } from "node:net";
import webchat from "../../../workers/webchat/adapter.ts";
import type { PlatformTraits, SaidMessage } from "../../conformance/emulated-platform.ts";
import { freePort } from "../../support/gateway-fixture.ts";
import { ClientPlatform } from "../client-platform.ts";
import { PageClient } from "./page-client.ts";

const mainConversation = "visitor-one-0123456789abcdef";
const otherConversation = "visitor-two-0123456789abcdef";
const authToken = "planted-webchat-token-c40e97";

/** A web chat on a free port, and its two pages. */
export class WebchatPlatform extends ClientPlatform {
  readonly title = "webchat";
  readonly platform = "webchat";
  readonly module = webchat;
  readonly traits: PlatformTraits = {
    recoversMissed: true,
    acknowledges: true,
    keepsConnection: true,
    isPull: true,
    // Its own limit is in bytes of UTF-8, inbound only.
    longestText: { limit: 0, unit: "bytes" },
    attachments: "none",
  };
  readonly secrets = [authToken];
  readonly otherConversation = otherConversation;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly toml: string;
  readonly #url: string;
  readonly #pages = new Map<string, PageClient>();
  readonly #sockets = new Set<Socket>();
  readonly #said = new Map<string, { readonly conversation: string; readonly text: string }>();
  #mainConnections = 0;
  #onEmpty: (() => void)[] = [];
  #lastId = 0;

  private constructor(port: number) {
    super();
    this.settings = { port, bind: "127.0.0.1", authToken, allowedOrigins: [], title: "Chat", rateLimitPerSender: 0 };
    this.toml = `port = ${port}\nauth_token = "${authToken}"\nrate_limit_per_sender = 0`;
    this.#url = `ws://127.0.0.1:${port}/ws`;
    this.#open(mainConversation);
  }

  static async start(): Promise<WebchatPlatform> {
    return new WebchatPlatform(await freePort());
  }

  async say({ text, conversation = mainConversation }: SaidMessage): Promise<string> {
    this.#lastId += 1;
    const id = `m${this.#lastId}`;
    this.#said.set(id, { conversation, text });
    (this.#pages.get(conversation) ?? this.#open(conversation)).say(id, text);
    return id;
  }

  async repeat(id: string): Promise<void> {
    const { conversation, text } = this.#said.get(id) ?? { conversation: mainConversation, text: "" };
    this.#pages.get(conversation)?.say(id, text);
  }

  async sayNonsense(): Promise<void> {
    const frames: readonly (string | Uint8Array)[] = [
      "null",
      "[]",
      "{",
      '{"type":"message"}',
      '{"type":"message","clientId":1,"text":null}',
      '{"type":"hello"}',
      '{"type":"ack","cursor":-1}',
      Uint8Array.from([0, 255, 254]),
      JSON.stringify({ type: "message", clientId: "x", text: "x".repeat(200_000) }),
    ];
    for (const frame of frames) await this.#pages.get(mainConversation)?.sayNonsense(frame);
  }

  get connections(): { readonly live: number; readonly total: number } {
    return { live: this.#sockets.size, total: this.#mainConnections };
  }

  get openSockets(): number {
    return this.#sockets.size;
  }

  async allSocketsClosed(): Promise<void> {
    if (this.#sockets.size > 0) await new Promise<void>((resolve) => this.#onEmpty.push(resolve));
  }

  dropConnections(): void {
    for (const page of this.#pages.values()) page.drop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#pages.values()].map((page) => page[Symbol.asyncDispose]()));
  }

  #open(conversation: string): PageClient {
    const page = new PageClient(
      this.#url,
      { conversation, token: authToken },
      {
        onConnected: (socket) => this.#onConnected(socket, conversation),
        onAccepted: (id) => this.taken.add(id),
        onChunk: (text) => this.#show("edit", conversation, "chunk", text, text),
        onEntry: (cursor, response) => this.#onEntry(conversation, `${cursor}`, response),
      },
    );
    this.#pages.set(conversation, page);
    return page;
  }

  #onConnected(socket: Socket, conversation: string): void {
    if (conversation === mainConversation) this.#mainConnections += 1;
    this.#sockets.add(socket);
    socket.once("close", () => {
      this.#sockets.delete(socket);
      if (this.#sockets.size > 0) return;
      for (const resolve of this.#onEmpty) resolve();
      this.#onEmpty = [];
    });
  }

  #onEntry(conversation: string, cursor: string, response: Readonly<Record<string, unknown>>): void {
    const { kind } = response;
    if (kind === "stream_start") return;
    const text = String(kind === "file" ? response["filename"] : response["text"]);
    this.#show(kind === "file" ? "file" : "message", conversation, cursor, text, response);
  }

  #show(kind: "message" | "edit" | "file", conversation: string, messageId: string, text: string, raw: unknown): void {
    this.items.add({ kind, conversation, messageId, text, raw });
  }
}
