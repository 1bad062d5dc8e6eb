/** The webhook's platform is whoever posts to it: here a careful program with two conversations. */
import webhook from "../../../workers/webhook/adapter.ts";
import type { PlatformTraits, SaidMessage } from "../../conformance/emulated-platform.ts";
import { freePort } from "../../support/gateway-fixture.ts";
import { ClientPlatform } from "../client-platform.ts";
import { WebhookSender } from "./webhook-sender.ts";

type Polled = {
  readonly cursor: number;
  readonly type: "text" | "file" | "stream_start" | "stream_chunk" | "stream_end";
  readonly content: string;
  readonly filename?: string;
};

const mainConversation = "room-1";
const otherConversation = "room-2";
const authToken = "planted-webhook-token-8d21f0";

/** A webhook on a free port, and its one user. */
export class WebhookPlatform extends ClientPlatform {
  readonly title = "webhook";
  readonly platform = "webhook";
  readonly module = webhook;
  readonly traits: PlatformTraits = {
    recoversMissed: true,
    acknowledges: true,
    keepsConnection: false,
    isPull: true,
    longestText: { limit: 0, unit: "bytes" },
    attachments: "url",
  };
  readonly secrets = [authToken];
  readonly otherConversation = otherConversation;
  readonly connections = { live: 0, total: 0 };
  readonly settings: Readonly<Record<string, unknown>>;
  readonly toml: string;
  readonly #sender: WebhookSender;
  readonly #bodies = new Map<string, string>();
  /** One line per conversation: the next message goes when the last one is accepted. */
  readonly #lines = new Map<string, Promise<unknown>>();
  readonly #polls: readonly Promise<void>[];
  #lastId = 0;

  private constructor(port: number) {
    super();
    this.settings = { port, bind: "127.0.0.1", authToken, signingSecret: "", rateLimitPerSender: 0 };
    this.toml = `port = ${port}\nauth_token = "${authToken}"`;
    this.#sender = new WebhookSender(port, authToken);
    this.#polls = [mainConversation, otherConversation].map((conversation) => this.#poll(conversation));
  }

  static async start(): Promise<WebhookPlatform> {
    return new WebhookPlatform(await freePort());
  }

  async say({
    text,
    conversation = mainConversation,
    senderId = "u1",
    attachments = [],
  }: SaidMessage): Promise<string> {
    this.#lastId += 1;
    const id = `m${this.#lastId}`;
    const body = JSON.stringify({
      conversation_id: conversation,
      message_id: id,
      sender_id: senderId,
      sender_name: "Ann",
      content: text,
      attachments: attachments.map(({ filename, mimeType, bytes }, index) => ({
        filename,
        mime_type: mimeType,
        size_bytes: bytes.length,
        url: `https://files.invalid/${id}/${index}`,
      })),
    });
    this.#bodies.set(id, body);
    const line = this.#lines.get(conversation) ?? Promise.resolve();
    this.#lines.set(
      conversation,
      line.then(() => this.#post(id, body)),
    );
    return id;
  }

  async repeat(id: string): Promise<void> {
    await this.#post(id, this.#bodies.get(id) ?? "");
  }

  async sayNonsense(): Promise<void> {
    const message = (fields: Readonly<Record<string, unknown>>): string =>
      JSON.stringify({ conversation_id: "nonsense", content: "nonsense", ...fields });
    const bodies: readonly (string | Uint8Array)[] = [
      "",
      "null",
      "[]",
      "{",
      '"text"',
      Buffer.from([0xff, 0xfe, 0x00, 0x80]),
      message({ conversation_id: null }),
      message({ conversation_id: "a\u0000b" }),
      message({ conversation_id: "x".repeat(1_000) }),
      message({ content: { text: "no" } }),
      message({ content: null }),
      message({ message_id: 17 }),
      message({ sender_id: [] }),
      message({ attachments: "many" }),
      message({ attachments: [null] }),
      message({ attachments: [{ url: "file:///etc/passwd" }] }),
      message({ attachments: [{ url: "https://files.invalid/a", size_bytes: -1 }] }),
      message({ content: "x".repeat(2_000_000) }),
    ];
    // Each is answered, or its connection is closed: both are right.
    for (const body of bodies) await this.#sender.send("POST", "/send", body).catch(() => null);
  }

  get openSockets(): number {
    return this.#sender.openSockets;
  }

  allSocketsClosed(): Promise<void> {
    return this.#sender.allSocketsClosed();
  }

  dropConnections(): void {
    this.#sender.dropConnections();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#sender[Symbol.dispose]();
    await Promise.all([...this.#polls, ...this.#lines.values()]);
  }

  async #post(id: string, body: string): Promise<void> {
    if ((await this.#sender.insist(202, "POST", "/send", body)) !== null) this.taken.add(id);
  }

  async #poll(conversation: string): Promise<void> {
    for (let after = 0; !this.#sender.isOver;) {
      const answer = await this.#sender.insist(200, "GET", `/poll/${conversation}?wait=30&after=${after}`);
      if (answer === null) return;
      const page = JSON.parse(answer.body) as { readonly messages: readonly Polled[]; readonly cursor: number };
      for (const polled of page.messages) this.#show(conversation, polled);
      after = page.cursor;
    }
  }

  #show(conversation: string, polled: Polled): void {
    if (polled.type === "stream_start") return;
    this.items.add({
      kind: polled.type === "file" ? "file" : polled.type === "stream_chunk" ? "edit" : "message",
      conversation,
      messageId: `${polled.cursor}`,
      text: polled.type === "file" ? (polled.filename ?? "") : polled.content,
      raw: polled,
    });
  }
}
