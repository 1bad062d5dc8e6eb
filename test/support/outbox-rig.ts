/** The outbox with everything around it that it needs. */
import type { JournalWrite, SendState } from "../../src/contract/journal.ts";
import { parseResponse, type ResponseInput } from "../../src/contract/response.ts";
import type { Mail } from "../../src/outbound/mail-cache.ts";
import { Outbox } from "../../src/outbound/outbox.ts";
import { encodeResponse } from "../../src/outbound/response-bytes.ts";
import { FakeAdapters } from "./fake-adapters.ts";
import { RecordingLogger } from "./recording-logger.ts";
import { StoreJournal } from "./store-journal.ts";

/** An outbox over the journal's real tables, with adapters that do as the test says. */
export class OutboxRig {
  readonly journal: StoreJournal;
  readonly adapters = new FakeAdapters();
  readonly logger = new RecordingLogger();
  readonly mail: Mail[] = [];
  readonly outbox: Outbox;

  constructor(journal = new StoreJournal()) {
    this.journal = journal;
    const { adapters, logger } = this;
    const mailboxes = { deliver: (mail: Mail) => void this.mail.push(mail) };
    this.outbox = new Outbox({ journal, adapters, logger, mailboxes });
  }

  /** The reply that goes with an ack, committed as flow does it. */
  async settle(messageId: string, key: string, response: ResponseInput, index = 0): Promise<readonly JournalWrite[]> {
    const request = replyRequest(messageId, key, response, index);
    const reply = this.outbox.reply(request);
    const { writes } = reply;
    reply.written(await this.journal.commit(writes));
    return writes;
  }

  /** A reply before its message is settled. */
  replyNow(messageId: string, key: string, response: ResponseInput, mayRepeat = false): Promise<unknown> {
    return this.outbox.replyNow({ ...replyRequest(messageId, key, response, 0), mayRepeat });
  }

  /** A text on its own. */
  send(
    key: string,
    text: string,
    idempotencyKey: string | null = null,
    conversation = "room",
  ): Promise<{ id: string; state: SendState }> {
    return this.outbox.send({ key, conversation, response: { kind: "text", text }, idempotencyKey });
  }

  /** The texts that wait in conversation `room`. */
  async mailOnDisk(key = "web"): Promise<readonly string[]> {
    const rows = await this.journal.query("mail", { key, conversation: "room", after: 0, limit: 100 });
    return rows.map(({ response }) => textOf(response));
  }
}

/** A reply to message `messageId`, as flow hands it over. */
export function replyRequest(messageId: string, key: string, response: ResponseInput, index: number) {
  const bytes = encodeResponse(parseResponse(response));
  return { messageId, key, conversation: "room", reply: { index, response: bytes } };
}

/** The text of an encoded response. */
export function textOf(response: Uint8Array): string {
  return (JSON.parse(Buffer.from(response).toString()) as { text: string }).text;
}
