/** Answers that one person alone sees. */
import { GatewayError } from "../../src/contract/errors.ts";
import type { ReplyTo } from "../../src/contract/message.ts";
import type { SlackApi } from "./api.ts";
import { textOf } from "./fields.ts";
import type { HttpClient } from "./http-client.ts";
import { splitMarkdown } from "./mrkdwn.ts";
import { bodyOf, placeOf, type Spot } from "./poster.ts";
import type { ResponseUrls } from "./response-urls.ts";
import { slackError } from "./slack-error.ts";

/** Through the address that Slack gave for a command or click, else as an ephemeral message. */
export class Whispers {
  readonly #api: SlackApi;
  readonly #http: HttpClient;
  readonly #urls: ResponseUrls;

  constructor(parts: { readonly api: SlackApi; readonly http: HttpClient; readonly urls: ResponseUrls }) {
    this.#api = parts.api;
    this.#http = parts.http;
    this.#urls = parts.urls;
  }

  /** Shows `text` to `userId`, by default to who is answered. Resolves with Slack's id of it, if it has one. */
  async send(
    spot: Spot,
    { text, userId }: { readonly text: string; readonly userId: string },
    reply: ReplyTo,
  ): Promise<string | null> {
    const user = userId || (reply["user"] ?? "");
    if (user === "") throw new GatewayError("invalid_request", "Cannot whisper: userId is empty, expected a user's id");
    const parts = splitMarkdown(text);
    const bodies = (parts.length === 0 ? [""] : parts).map((markdown) => bodyOf({ markdown, blocks: [] }));
    let id: string | null = null;
    for (const body of bodies) {
      const url = this.#urls.take(reply["trigger"] ?? "", user);
      if (url !== null) await this.#respond(url, { response_type: "ephemeral", replace_original: false, ...body });
      else {
        const answer = await this.#api.call("chat.postEphemeral", { ...placeOf(spot), user, ...body });
        id ??= textOf(answer["message_ts"]) || null;
      }
    }
    return id;
  }

  /** Answers a command where it cannot be answered otherwise. Never rejects. */
  async answer(trigger: string, user: string, text: string): Promise<void> {
    const url = this.#urls.take(trigger, user);
    if (url === null) return;
    await this.#respond(url, { response_type: "ephemeral", text }).catch(() => {
      // There is no other way to tell this person.
    });
  }

  async #respond(url: string, body: Readonly<Record<string, unknown>>): Promise<void> {
    const method = "chat.respond";
    let status: number;
    try {
      const headers = { "Content-Type": "application/json" };
      ({ status } = await this.#http.fetch(url, { method: "POST", headers, body: JSON.stringify(body) }));
    } catch (reason) {
      throw slackError(reason, method);
    }
    if (status === 404 || status === 410)
      throw new GatewayError("message_rejected", "Cannot answer: Slack's time for an answer to this click is over");
    if (status !== 200) throw new GatewayError("platform_unavailable", `Cannot call ${method}: HTTP ${status}`);
  }
}
