/** Slack's Web API: one way to call it, with a deadline, without the library's own retries, with errors in our words. */
import type { webApi } from "@slack/bolt";
import { GatewayError } from "../../src/contract/errors.ts";
import type { Fields } from "./fields.ts";
import { fieldsOf, textOf } from "./fields.ts";
import { callTimeoutMs, type HttpClient } from "./http-client.ts";
import { missingScope, slackCodeOf, slackError } from "./slack-error.ts";

/** The library's own deadline, should ours fail. */
const libraryTimeoutMs = 2 * callTimeoutMs;
const slackUrl = "https://slack.com/api/";

/** Who the bot is, as `auth.test` says it. */
export type Identity = {
  readonly userId: string;
  /** `""`: a token of a user. */
  readonly botId: string;
  readonly teamId: string;
  readonly teamName: string;
};

/** The base of every call, with a slash at its end. */
export function apiBase(apiUrl: string): string {
  if (apiUrl === "") return slackUrl;
  return apiUrl.endsWith("/") ? apiUrl : `${apiUrl}/`;
}

/** How the library is set up: no retries of its own, which would post twice, and no waiting for rate limits in silence. */
export function clientOptions(apiUrl: string, http: HttpClient): webApi.WebClientOptions {
  return {
    slackApiUrl: apiBase(apiUrl),
    timeout: libraryTimeoutMs,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    allowAbsoluteUrls: false,
    fetch: http.fetch,
  };
}

/** One adapter's Web API. */
export class SlackApi {
  readonly #client: webApi.WebClient;
  readonly #onUnauthorized: (error: GatewayError) => void;

  /** `onUnauthorized` is told whenever Slack refuses the token. */
  constructor(client: webApi.WebClient, onUnauthorized: (error: GatewayError) => void) {
    this.#client = client;
    this.#onUnauthorized = onUnauthorized;
  }

  /**
   * Calls `method`. `accepted`: names of failures that are as good as success, such as `already_reacted`; the answer is
   * then empty.
   * @throws {GatewayError} of every kind that `slackError` knows.
   */
  async call(method: string, request: Fields, accepted: readonly string[] = []): Promise<Fields> {
    try {
      return fieldsOf(await this.#client.apiCall(method, request));
    } catch (reason) {
      if (accepted.includes(slackCodeOf(reason))) return {};
      const error = slackError(reason, method);
      if (error.code === "unauthorized") this.#onUnauthorized(error);
      throw error;
    }
  }

  /**
   * Proves the bot token, and that it may write.
   * @throws {GatewayError} `unauthorized`, `forbidden` naming the scope, `platform_unavailable`, `timeout`.
   */
  async identify(): Promise<Identity> {
    const answer = await this.call("auth.test", {});
    const { scopes } = fieldsOf(answer["response_metadata"]);
    // Slack names the token's scopes in a header; nobody else need.
    if (Array.isArray(scopes) && !scopes.includes("chat:write")) throw missingScope("chat:write", "Cannot start");
    const userId = textOf(answer["user_id"]);
    if (userId === "")
      throw new GatewayError("platform_unavailable", "Cannot call auth.test: the answer has no user_id");
    return {
      userId,
      botId: textOf(answer["bot_id"]),
      teamId: textOf(answer["team_id"]),
      teamName: textOf(answer["team"]),
    };
  }
}
