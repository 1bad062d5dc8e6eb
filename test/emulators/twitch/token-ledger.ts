/** The tokens that Twitch's id server has given out, and what it answers about them. */
import { randomBytes } from "node:crypto";
import { Observed } from "../../conformance/observed.ts";

/** A token that is good for something. */
type Token = {
  readonly login: string;
  readonly userId: string;
  readonly scopes: readonly string[];
  /** `null`: never. */
  readonly expiresAtMs: number | null;
};

/** One answer. */
export type IdAnswer = { readonly status: number; readonly body: unknown };

/** Who may renew what. */
export type LedgerOptions = {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly account: { readonly login: string; readonly userId: string };
};

/** The tokens of one application. */
export class TokenLedger {
  /** Every refresh so far, with the refresh token that was shown. */
  readonly refreshes = new Observed<{ readonly refreshToken: string; readonly accessToken: string | null }>();
  /** Every question whether a token is valid. */
  readonly validations = new Observed<string>();
  scopes: readonly string[] = ["chat:read", "chat:edit"];
  /** Of new tokens, seconds; 0: for ever. */
  lifetimeSeconds = 14_400;
  /** A refresh token is good for one use, as a public client's is. */
  isRotating = true;
  readonly #options: LedgerOptions;
  readonly #tokens = new Map<string, Token>();
  readonly #refreshTokens = new Set<string>();

  constructor(options: LedgerOptions) {
    this.#options = options;
  }

  /** From now on it is valid, for `lifetimeSeconds`. */
  grant(accessToken: string): void {
    const expiresAtMs = this.lifetimeSeconds === 0 ? null : Date.now() + this.lifetimeSeconds * 1_000;
    this.#tokens.set(accessToken, { ...this.#options.account, scopes: this.scopes, expiresAtMs });
  }

  /** From now on it may be renewed with. */
  grantRefresh(refreshToken: string): void {
    this.#refreshTokens.add(refreshToken);
  }

  /** The user has withdrawn what was granted. */
  revoke(token: string): void {
    this.#tokens.delete(token);
    this.#refreshTokens.delete(token);
  }

  /** Whose token it is; `null`: it is not valid. */
  accountOf(accessToken: string): Token | null {
    const token = this.#tokens.get(accessToken);
    return token === undefined || (token.expiresAtMs !== null && token.expiresAtMs <= Date.now()) ? null : token;
  }

  /** GET /oauth2/validate. */
  validate(authorization: string): IdAnswer {
    const accessToken = /^(?:OAuth|Bearer) (.+)$/u.exec(authorization)?.[1] ?? "";
    this.validations.add(accessToken);
    const token = this.accountOf(accessToken);
    if (token === null) return { status: 401, body: { status: 401, message: "invalid access token" } };
    const expiresIn = token.expiresAtMs === null ? 0 : Math.floor((token.expiresAtMs - Date.now()) / 1_000);
    const { login, userId, scopes } = token;
    return {
      status: 200,
      body: { client_id: this.#options.clientId, login, scopes, user_id: userId, expires_in: expiresIn },
    };
  }

  /** POST /oauth2/token. */
  refresh(fields: URLSearchParams): IdAnswer {
    const refreshToken = fields.get("refresh_token") ?? "";
    const refusal = this.#refusalOf(fields, refreshToken);
    if (refusal !== null) {
      this.refreshes.add({ refreshToken, accessToken: null });
      return refusal;
    }
    const accessToken = `renewed-access-${randomBytes(8).toString("hex")}`;
    this.grant(accessToken);
    let renewed = refreshToken;
    if (this.isRotating) {
      this.#refreshTokens.delete(refreshToken);
      renewed = `renewed-refresh-${randomBytes(8).toString("hex")}`;
      this.#refreshTokens.add(renewed);
    }
    this.refreshes.add({ refreshToken, accessToken });
    const body = { access_token: accessToken, refresh_token: renewed, scope: this.scopes, token_type: "bearer" };
    return { status: 200, body: { ...body, expires_in: this.lifetimeSeconds } };
  }

  #refusalOf(fields: URLSearchParams, refreshToken: string): IdAnswer | null {
    const refused = (status: number, message: string): IdAnswer => ({
      status,
      body: { error: status === 403 ? "Forbidden" : "Bad Request", status, message },
    });
    if (fields.get("grant_type") !== "refresh_token") return refused(400, "missing grant type");
    if (fields.get("client_id") !== this.#options.clientId) return refused(400, "invalid client");
    if (fields.get("client_secret") !== this.#options.clientSecret) return refused(403, "invalid client secret");
    return this.#refreshTokens.has(refreshToken) ? null : refused(400, "Invalid refresh token");
  }
}
