/** E-mail as the conformance kit sees it: a mailbox on a real Dovecot, an SMTP server, and two threads of one person's. */
import { hash, randomUUID } from "node:crypto";
import MailComposer from "nodemailer/lib/mail-composer";
import type { Policy } from "../../../src/contract/adapter.ts";
import email from "../../../workers/email/adapter.ts";
import type {
  EmulatedPlatform,
  FaultPlace,
  PlatformFault,
  PlatformTraits,
  SaidMessage,
  ShownItem,
} from "../../conformance/emulated-platform.ts";
import { Observed } from "../../conformance/observed.ts";
import { FaultBoard } from "../fault-board.ts";
import { DovecotServer, sharedPassword } from "./dovecot.ts";
import { ImapProxy } from "./imap-proxy.ts";
import { type AgentOptions, MailTransferAgent, type TakenMail } from "./mail-transfer-agent.ts";
import { Maildrop } from "./maildrop.ts";
import { nonsenseLines, nonsenseMails } from "./nonsense.ts";

/** Of the SMTP server, as password or as token. */
export const smtpPassword = "planted-smtp-password-9e27";
const annAddress = "ann@people.example";

/** A thread as the person who writes in it knows it. */
type Thread = { readonly subject: string; readonly root: string; readonly ids: string[] };

/** Fields of the adapter's table that a test may want otherwise. */
export type EmailOptions = {
  readonly settings?: Readonly<Record<string, unknown>>;
  /** One of its own in place of the one that all share. */
  readonly dovecot?: DovecotServer;
  /** Of the SMTP server; default: no TLS. */
  readonly smtp?: AgentOptions["server"];
  /** The provider keeps a copy of what it sends, as many do. @default false */
  readonly keepsCopies?: boolean;
};

/** An emulated provider. */
export class EmailPlatform implements EmulatedPlatform {
  readonly title = "email";
  readonly platform = "email";
  readonly module = email;
  readonly traits: PlatformTraits;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly policy: Partial<Policy> = {};
  readonly secrets = [sharedPassword, smtpPassword];
  readonly otherConversation: string;
  /** The mailbox's own. */
  readonly address: string;
  readonly dovecot: DovecotServer;
  readonly imap: ImapProxy;
  readonly agent: MailTransferAgent;
  readonly maildrop: Maildrop;
  readonly #items: Observed<ShownItem>;
  readonly #threads = new Map<string, Thread>();
  readonly #mainConversation: string;
  /** Of everything that was said. */
  readonly #said = new Map<string, { readonly raw: Buffer; uids: readonly number[] }>();
  #whenClosed: (() => void) | null = null;

  private constructor(parts: {
    readonly address: string;
    readonly dovecot: DovecotServer;
    readonly imap: ImapProxy;
    readonly agent: MailTransferAgent;
    readonly maildrop: Maildrop;
    readonly items: Observed<ShownItem>;
    readonly settings: Readonly<Record<string, unknown>>;
    readonly keepsCopies: boolean;
  }) {
    const { address, dovecot, imap, agent, maildrop } = parts;
    this.address = address;
    this.dovecot = dovecot;
    this.imap = imap;
    this.agent = agent;
    this.maildrop = maildrop;
    this.#items = parts.items;
    this.#mainConversation = this.#begin("A question");
    this.otherConversation = this.#begin("Something else");
    this.settings = parts.settings;
    this.traits = {
      recoversMissed: true,
      acknowledges: true,
      keepsConnection: true,
      isPull: false,
      completesSends: parts.keepsCopies,
      longestText: { limit: 0, unit: "utf16" },
      hasCodeFences: false,
      // Silent for the poll interval, looked at every five seconds, and eight to answer.
      silenceShowsMs: 20_000,
    };
    imap.onSocketClosed(() => this.#whenClosed?.());
    agent.onSocketClosed(() => this.#whenClosed?.());
  }

  static async start(options: EmailOptions = {}): Promise<EmailPlatform> {
    await using stack = new AsyncDisposableStack();
    const dovecot = options.dovecot ?? (await DovecotServer.shared());
    const address = `bot-${randomUUID().slice(0, 8)}@mail.example`;
    const faults = new FaultBoard();
    const imap = stack.use(await ImapProxy.start(dovecot.ports.imap, faults));
    const items = new Observed<ShownItem>();
    const onTaken = (taken: TakenMail): void => items.add(shownItem(taken));
    const server = options.smtp === undefined ? {} : { server: options.smtp };
    const agent = stack.use(
      await MailTransferAgent.start({ user: address, password: smtpPassword, faults, onTaken, ...server }),
    );
    const maildrop = stack.use(await Maildrop.open(dovecot, address));
    const { keepsCopies = false } = options;
    if (keepsCopies) {
      await maildrop.asOwner((client) => client.mailboxCreate("Sent"));
      agent.keep = async ({ raw }) => {
        await maildrop.asOwner((client) => client.append("Sent", raw, ["\\Seen"]));
      };
    }
    const settings = {
      imapHost: "127.0.0.1",
      imapPort: imap.port,
      imapUsername: address,
      imapPassword: sharedPassword,
      imapUseTls: false,
      smtpHost: "127.0.0.1",
      smtpPort: agent.port,
      smtpUsername: address,
      smtpPassword,
      smtpUseStarttls: false,
      fromAddress: address,
      fromName: "Bot",
      oauth2AccessToken: "",
      pollIntervalSecs: 5,
      folders: ["INBOX"],
      markSeen: true,
      ...options.settings,
    };
    stack.move(); // the platform's own to dispose of
    return new EmailPlatform({ address, dovecot, imap, agent, maildrop, items, settings, keepsCopies });
  }

  get toml(): string {
    return Object.entries(this.settings)
      .map(
        ([name, value]) =>
          `${name.replaceAll(/[A-Z]/gu, (letter) => `_${letter.toLowerCase()}`)} = ${JSON.stringify(value)}`,
      )
      .join("\n");
  }

  bindingToml(): string {
    // Nothing that a binding says narrows what a mailbox hears.
    return "";
  }

  async say({ text, conversation, senderId, attachments = [] }: SaidMessage): Promise<string> {
    const thread = this.#threads.get(conversation ?? this.#mainConversation);
    if (thread === undefined) throw new TypeError(`There is no conversation ${String(conversation)}`);
    const id = thread.ids.length === 0 ? thread.root : `<${randomUUID()}@people.example>`;
    const raw = await new MailComposer({
      from: { name: "Ann", address: senderId ?? annAddress },
      to: this.address,
      subject: thread.subject,
      messageId: id,
      ...(thread.ids.length === 0 ? {} : { inReplyTo: thread.ids.at(-1), references: [...thread.ids] }),
      text,
      attachments: attachments.map(({ filename, mimeType, bytes }) => ({
        filename,
        contentType: mimeType,
        content: Buffer.from(bytes),
      })),
    })
      .compile()
      .build();
    // A chain as long as a whole flood is nobody's.
    if (thread.ids.length < 10) thread.ids.push(id);
    await this.deliver(raw, id);
    return id;
  }

  /** Any mail, with its Message-ID where it has one. */
  async deliver(raw: Buffer, id = ""): Promise<void> {
    await this.maildrop.deliver(raw);
    if (id !== "") this.#said.set(id, { raw, uids: await this.maildrop.uidsOf(id) });
  }

  async repeat(id: string): Promise<void> {
    const said = this.#said.get(id);
    if (said === undefined) throw new TypeError(`Nobody said ${id}`);
    await this.deliver(said.raw, id);
  }

  isAcknowledged(id: string): boolean {
    const uids = this.#said.get(id)?.uids ?? [];
    return uids.length > 0 && uids.every((uid) => this.imap.marked.items.includes(uid));
  }

  async acknowledged(id: string): Promise<void> {
    for (const uid of this.#said.get(id)?.uids ?? [])
      await this.imap.marked.first((marked) => marked === uid, `the mail ${uid} marked as seen`);
  }

  async sayNonsense(): Promise<void> {
    for (const line of nonsenseLines) this.imap.say(line);
    for (const mail of nonsenseMails()) await this.deliver(mail);
  }

  get shown(): readonly ShownItem[] {
    return this.#items.items;
  }

  nextShown(matches: (item: ShownItem) => boolean): Promise<ShownItem> {
    return this.#items.first(matches, "a shown item");
  }

  setFault(place: FaultPlace, fault: PlatformFault): void {
    this.imap.faults.set(place, fault);
  }

  liftFault(place: FaultPlace): void {
    if (place === "send") this.agent.liftFault();
    else this.imap.liftFault(place);
  }

  faultsMet(place: FaultPlace): number {
    return this.imap.faults.count(place);
  }

  faultMet(place: FaultPlace, count: number): Promise<void> {
    return this.imap.faults.met(place, count);
  }

  dropConnections(): void {
    this.imap.dropConnections();
  }

  freezeConnections(): void {
    this.imap.freezeConnections();
  }

  get connections(): { readonly live: number; readonly total: number } {
    return this.imap.connections;
  }

  get openSockets(): number {
    return this.imap.openSockets + this.agent.openSockets;
  }

  async allSocketsClosed(): Promise<void> {
    while (this.openSockets > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#whenClosed = resolve;
      await promise;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.maildrop[Symbol.asyncDispose]();
    await this.agent[Symbol.asyncDispose]();
    await this.imap[Symbol.asyncDispose]();
  }

  /** A thread that nobody has written in yet; its name as adapters of e-mail give it. */
  #begin(subject: string): string {
    const root = `<${randomUUID()}@people.example>`;
    const conversation = conversationNamed(root);
    this.#threads.set(conversation, { subject, root, ids: [] });
    return conversation;
  }
}

/** As a person sees it. */
function shownItem({ to, mail }: TakenMail): ShownItem {
  const root = [mail.references ?? []].flat()[0];
  const [file] = mail.attachments;
  return {
    kind: file === undefined ? "message" : "file",
    conversation: root === undefined ? (to[0] ?? "") : conversationNamed(root),
    messageId: mail.messageId ?? "",
    text: file === undefined ? (mail.text ?? "").trimEnd() : (file.filename ?? ""),
    raw: { subject: mail.subject, text: mail.text, html: mail.html, headers: Object.fromEntries(mail.headers) },
  };
}

/** As adapters of e-mail name a thread: 24 hex digits of the hash of the mail that began it. */
function conversationNamed(root: string): string {
  return hash("sha256", root, "hex").slice(0, 24);
}
