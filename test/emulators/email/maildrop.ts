/** The way of other people's mail into a mailbox: LMTP, as from any mail server; and a look at what is there, as its owner has. */
import { ImapFlow } from "imapflow";
import { createTransport } from "nodemailer";
import type { DovecotServer } from "./dovecot.ts";
import { sharedPassword } from "./dovecot.ts";

/** One mailbox, past the adapter and its faults. */
export class Maildrop implements AsyncDisposable {
  readonly #address: string;
  readonly #client: ImapFlow;
  readonly #transport: ReturnType<typeof createTransport>;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(address: string, client: ImapFlow, lmtpPort: number) {
    this.#address = address;
    this.#client = client;
    this.#transport = createTransport({
      host: "127.0.0.1",
      port: lmtpPort,
      lmtp: true,
      ignoreTLS: true,
      pool: true,
      maxConnections: 1,
    });
  }

  static async open({ ports }: DovecotServer, address: string): Promise<Maildrop> {
    const client = new ImapFlow({
      host: "127.0.0.1",
      port: ports.imap,
      secure: false,
      doSTARTTLS: false,
      auth: { user: address, pass: sharedPassword },
      logger: false,
      disableAutoIdle: true,
    });
    client.on("error", () => {});
    await client.connect();
    await client.mailboxOpen("INBOX");
    return new Maildrop(address, client, ports.lmtp);
  }

  /** Resolves when it is in the inbox. In the order of the calls. */
  deliver(raw: Buffer): Promise<void> {
    return this.#inTurn(async () => {
      await this.#transport.sendMail({ envelope: { from: "ann@people.example", to: [this.#address] }, raw });
    });
  }

  /** Where the mails with this Message-ID are, in the inbox. */
  uidsOf(messageId: string): Promise<readonly number[]> {
    return this.#inTurn(async () => {
      await this.#client.noop();
      return (await this.#client.search({ header: { "message-id": messageId } }, { uid: true })) || [];
    });
  }

  /** What its owner does with a mail program of his own. */
  asOwner<Answer>(use: (client: ImapFlow) => Promise<Answer>): Promise<Answer> {
    return this.#inTurn(async () => {
      await this.#client.noop();
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
