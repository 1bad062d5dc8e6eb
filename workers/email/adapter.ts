/** E-mail: IMAP to hear, SMTP to speak. */
import type {
  AdapterContext,
  AdapterModule,
  DoubtfulSend,
  Policy,
  RunningAdapter,
  SendRates,
  SendRequest,
} from "../../src/contract/adapter.ts";
import { capabilitiesOf } from "../../src/contract/capabilities.ts";
import { GatewayError } from "../../src/contract/errors.ts";
import type { HistoryMessage } from "../../src/contract/message.ts";
import type { EmailSettings } from "../../src/contract/settings.ts";
import { deadline } from "../../src/support/deadline.ts";
import { fetchFile, type FileRequest } from "./fetch-file.ts";
import { type Mailbox, openMailbox } from "./mailbox.ts";
import { sendRatesAt } from "./send-rates.ts";
import { type HistoryRequest, threadHistory } from "./thread-history.ts";

/** Below the 20 s that a start may take. */
const startDeadlineMs = 18_000;

const email: AdapterModule<EmailSettings> = {
  platform: "email",
  capabilities: capabilitiesOf("email"),
  // The connection is asked after two minutes of silence at most, and has eight seconds to answer.
  maxSilenceMs: 180_000,
  start,
};
export default email;

async function start(context: AdapterContext<EmailSettings>): Promise<RunningAdapter> {
  const error = new GatewayError("timeout", `Cannot start: no answer of the mail servers within ${startDeadlineMs} ms`);
  using late = deadline(startDeadlineMs, { error, signal: context.signal });
  return new EmailAdapter(await openMailbox(context, late.signal));
}

/** One mailbox, running. */
class EmailAdapter implements RunningAdapter {
  readonly closed: Promise<void>;
  readonly sendRates: SendRates;
  readonly #mailbox: Mailbox;
  #stopped: Promise<void> | null = null;

  constructor(mailbox: Mailbox) {
    this.#mailbox = mailbox;
    this.closed = mailbox.listener.closed;
    this.sendRates = sendRatesAt(mailbox.account.smtp.host);
  }

  async send(request: SendRequest): Promise<{ platformMessageId: string }> {
    return { platformMessageId: await this.#mailbox.responder.send(request) };
  }

  async completeSend(request: DoubtfulSend): Promise<{ platformMessageId: string }> {
    return { platformMessageId: await this.#mailbox.responder.complete(request) };
  }

  history(request: HistoryRequest): Promise<readonly HistoryMessage[]> {
    return threadHistory(this.#mailbox, request);
  }

  attachment(request: FileRequest): Promise<{ readonly sizeBytes: number }> {
    const maxBytes = Math.min(request.maxBytes, this.#mailbox.policy.maxAttachmentBytes);
    return fetchFile(this.#mailbox, { ...request, maxBytes });
  }

  async updatePolicy(policy: Policy): Promise<void> {
    this.#mailbox.policy = policy;
  }

  async probe(): Promise<void> {
    await this.#mailbox.listener.probe();
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#mailbox.close();
    return this.#stopped;
  }
}
