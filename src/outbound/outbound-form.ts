/** The form a response is stored in: checked against what its adapter shows before anything is on disk. */
import { adaptResponse, isSupported, unsupported } from "./fallback.ts";
import type { OutboundAdapters } from "./outbound-adapters.ts";
import { decodeResponse, encodeResponse, isText, kindOf } from "./response-bytes.ts";
import { dueTimeOf } from "./schedule.ts";

/** `dueAtMs` 0: it may go at once. */
export type Prepared = { readonly response: Uint8Array; readonly dueAtMs: number };

/** Makes that form. */
export class OutboundForm {
  readonly #adapters: OutboundAdapters;
  readonly #endStream: (key: string, conversation: string) => string;

  /** `endStream` closes a conversation's stream and gives the last text it had. */
  constructor(adapters: OutboundAdapters, endStream: (key: string, conversation: string) => string) {
    this.#adapters = adapters;
    this.#endStream = endStream;
  }

  /**
   * The bytes to store, and until when they are held. A plain text is not opened; a stream's end carries its last text, so that it is kept whatever
   * became of the chunks; mail is in a form that its client knows.
   * @throws {GatewayError} `unsupported_response`, or `invalid_request` for bytes that are no response or a time too far ahead.
   */
  prepare(place: { readonly key: string; readonly conversation: string }, bytes: Uint8Array): Prepared {
    if (isText(bytes)) return { response: bytes, dueAtMs: 0 };
    const capabilities = this.#adapters.capabilities(place.key);
    const kind = kindOf(bytes);
    if (capabilities !== null && !isSupported(kind, capabilities)) throw unsupported(kind);
    let response = decodeResponse(bytes);
    const dueAtMs = dueTimeOf(response, capabilities, Date.now());
    if (response.kind === "stream_end") {
      const lastText = this.#endStream(place.key, place.conversation);
      if (response.text === "" && lastText !== "") response = { ...response, text: lastText };
    }
    // An adapter that is pushed to gets its fallback when it is sent: what it shows may be known only then.
    const isMail = capabilities !== null && this.#adapters.isPull(place.key);
    const shown = isMail ? (adaptResponse(response, capabilities) ?? response) : response;
    return { response: encodeResponse(shown), dueAtMs };
  }
}
