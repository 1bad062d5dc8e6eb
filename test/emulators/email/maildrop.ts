/** The way of other people's mail into a mailbox: LMTP, as from any mail server; and a look at what is there, as its owner has. */
import { ImapFlow } from "imapflow";
import { createTransport } from "nodemailer";
import { type DovecotServer, sharedPassword } from "./dovecot.ts";

/** One mailbox, past the adapter and its faults. */
export class Maildrop implements AsyncDisposable {
  readonly #address: string;
  readonly #ports: DovecotServer["ports"];
  readonly #transport: ReturnType<typeof createTransport>;
  #client: ImapFlow;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(address: string, client: ImapFlow, ports: DovecotServer["ports"]) {
    this.#address = address;
    this.#client = client;
    this.#ports = ports;
    const options = { host: "127.0.0.1", port: ports.lmtp, lmtp: true, ignoreTLS: true } as const;
    this.#transport = createTransport({ ...options, pool: true, maxConnections: 1 });
  }

  static async open({ ports }: DovecotServer, address: string): Promise<Maildrop> {
    return new Maildrop(address, await openInbox(ports, address), ports);
  }

  /** Resolves when it is in the inbox. In the order of the calls. */
  deliver(raw: Buffer): Promise<void> {
    return this.#inTurn(async () => {
      await this.#transport.sendMail({ envelope: { from: "ann@people.example", to: [this.#address] }, raw });
    });
  }

  /** Where the mails with this Message-ID are, in the inbox. */
  async uidsOf(messageId: string): Promise<readonly number[]> {
    const query = { header: { "message-id": messageId } };
    return (await this.asOwner((client) => client.search(query, { uid: true }))) || [];
  }

  /** What its owner does with a mail program of his own. */
  asOwner<Answer>(use: (client: ImapFlow) => Promise<Answer>): Promise<Answer> {
    return this.#inTurn(async () => {
      await this.#client.noop().catch(() => {});
      // Dovecot ends whoever has a folder open that is numbered anew.
      if (!this.#client.usable) this.#client = await openInbox(this.#ports, this.#address);
      return use(this.#client);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#last.catch(() => {});
    this.#client.close();
    this.#transport.close();
  }

  #inTurn<Answer>(run: () => Promise<Answer>): Promise<Answer> {
    const turn = this.#last.then(run, run);
    this.#last = turn.catch(() => {});
    return turn;
  }
}

async function openInbox({ imap }: DovecotServer["ports"], address: string): Promise<ImapFlow> {
  const client = new ImapFlow({
    host: "127.0.0.1",
    port: imap,
    secure: false,
    doSTARTTLS: false,
    auth: { user: address, pass: sharedPassword },
    logger: false,
    disableAutoIdle: true,
  });
  client.on("error", () => {});
  await client.connect();
  await client.mailboxOpen("INBOX");
  return client;
}
