/** Twitch's id server: what a token is good for, and a new one for a refresh token. */
import { GatewayError } from "../../src/contract/errors.ts";
import { callHttp, type HttpAnswer } from "./http-call.ts";

/** What is known of a token that is valid. {@link https://dev.twitch.tv/docs/authentication/validate-tokens/} */
export type TokenFacts = {
  /** `""`: the server does not say. */
  readonly login: string;
  readonly scopes: readonly string[];
  /** `null`: it does not expire. */
  readonly expiresInMs: number | null;
};

/** What a refresh gave. {@link https://dev.twitch.tv/docs/authentication/refresh-tokens/} */
export type RenewedToken = {
  readonly accessToken: string;
  /** `null`: the old one still holds. */
  readonly refreshToken: string | null;
  readonly expiresInMs: number | null;
};

/** What a refresh takes. */
export type RefreshRequest = {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly refreshToken: string;
};

const twitchUrl = "https://id.twitch.tv";
const reauthorise =
  "Re-authorise the bot: put a new oauth_token and refresh_token into the config, check client_id and client_secret, then reload";
/** A start asks it first and has little time; who renews loses a token by giving up early. */
const timeoutMs = { validate: 4_000, refresh: 8_000 } as const;

/** One id server. */
export class IdServer {
  readonly #base: string;
  readonly #redact: (text: string) => string;

  /** `url` `""`: Twitch's own. `redact` takes secrets out of what the server says. */
  constructor(url: string, redact: (text: string) => string) {
    const base = url === "" ? twitchUrl : url;
    this.#base = base.endsWith("/") ? base : `${base}/`;
    this.#redact = redact;
  }

  /** @throws {GatewayError} `unauthorized` for a token that is not valid, `rate_limited`, `platform_unavailable`, `timeout`. */
  async validate(token: string, signal: AbortSignal): Promise<TokenFacts> {
    const answer = await callHttp({
      url: new URL("oauth2/validate", this.#base),
      method: "GET",
      headers: { Authorization: `OAuth ${token}` },
      timeoutMs: timeoutMs.validate,
      signal,
    });
    const { status, body } = answer;
    if (status === 401) throw new GatewayError("unauthorized", "Twitch says the token is not valid");
    if (status !== 200) throw unavailable("check the token", answer);
    const { login, scopes } = body;
    return {
      login: typeof login === "string" ? login.toLowerCase() : "",
      scopes: Array.isArray(scopes) ? scopes.filter((scope) => typeof scope === "string") : [],
      expiresInMs: expiryOf(body),
    };
  }

  /**
   * @throws {GatewayError} `unauthorized` where only a person can help, which says how; `rate_limited`, `platform_unavailable`,
   * `timeout` for what passes.
   */
  async refresh({ clientId, clientSecret, refreshToken }: RefreshRequest, signal: AbortSignal): Promise<RenewedToken> {
    const answer = await callHttp({
      url: new URL("oauth2/token", this.#base),
      method: "POST",
      headers: { "Content-Type": "application/x-www-form-urlencoded" },
      body: String(
        new URLSearchParams({
          grant_type: "refresh_token",
          refresh_token: refreshToken,
          client_id: clientId,
          client_secret: clientSecret,
        }),
      ),
      timeoutMs: timeoutMs.refresh,
      signal,
    });
    const { status, body } = answer;
    if (status === 400 || status === 401 || status === 403) throw this.#refused(status, body);
    const { access_token: accessToken, refresh_token: renewed } = body;
    if (status !== 200 || typeof accessToken !== "string" || accessToken === "")
      throw unavailable("renew the token", answer);
    return {
      accessToken,
      refreshToken: typeof renewed === "string" && renewed !== "" && renewed !== refreshToken ? renewed : null,
      expiresInMs: expiryOf(body),
    };
  }

  #refused(status: number, { message }: HttpAnswer["body"]): GatewayError {
    const said = typeof message === "string" ? JSON.stringify(this.#redact(message).slice(0, 200)) : `HTTP ${status}`;
    return new GatewayError("unauthorized", `Cannot renew the token: Twitch says ${said}`, { userAction: reauthorise });
  }
}

/** Seconds in the answer; 0 for a token that does not expire. */
function expiryOf({ expires_in: seconds }: HttpAnswer["body"]): number | null {
  return typeof seconds === "number" && seconds > 0 ? seconds * 1_000 : null;
}

function unavailable(what: string, { status, retryAfterMs }: HttpAnswer): GatewayError {
  const wait = retryAfterMs === null ? {} : { retry: { kind: "after", delayMs: retryAfterMs } as const };
  const code = status === 429 ? "rate_limited" : "platform_unavailable";
  return new GatewayError(code, `Cannot ${what}: found HTTP ${status}, expected 200`, wait);
}
