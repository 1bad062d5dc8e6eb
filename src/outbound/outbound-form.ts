/** The form a response is stored in: checked against what its adapter shows before anything is on disk. */
import { adaptResponse, isSupported, unsupported } from "./fallback.ts";
import type { OutboundAdapters } from "./outbound-adapters.ts";
import { decodeResponse, encodeResponse, isText, kindOf } from "./response-bytes.ts";

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
   * The bytes to store. A plain text is not opened; a stream's end carries its last text, so that it is kept whatever
   * became of the chunks; mail is in a form that its client knows.
   * @throws {GatewayError} `unsupported_response`, or `invalid_request` for bytes that are no response.
   */
  prepare(place: { readonly key: string; readonly conversation: string }, bytes: Uint8Array): Uint8Array {
    if (isText(bytes)) return bytes;
    const capabilities = this.#adapters.capabilities(place.key);
    const kind = kindOf(bytes);
    if (capabilities !== null && !isSupported(kind, capabilities)) throw unsupported(kind);
    let response = decodeResponse(bytes);
    if (response.kind === "stream_end") {
      const lastText = this.#endStream(place.key, place.conversation);
      if (response.text === "" && lastText !== "") response = { ...response, text: lastText };
    }
    // An adapter that is pushed to gets its fallback when it is sent: what it shows may be known only then.
    if (capabilities === null || !this.#adapters.isPull(place.key)) return encodeResponse(response);
    return encodeResponse(adaptResponse(response, capabilities) ?? response);
  }
}
