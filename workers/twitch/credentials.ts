/**
 * The token to log in with, for as long as there is one: checked at the start, renewed at four fifths of its life and when it is
 * refused. {@link https://dev.twitch.tv/docs/authentication/}
 */
import type { StoredToken, TokenKeeper } from "../../src/contract/adapter.ts";
import { GatewayError } from "../../src/contract/errors.ts";
import type { TwitchSettings } from "../../src/contract/settings.ts";
import { after, orAborted, steadyNow, withDeadline } from "../../src/support/time.ts";
import type { IdServer, TokenFacts } from "./id-server.ts";
import { canRenew, renewToken, secretsOf, storeToken, type RenewalParts } from "./renew-token.ts";
import { nextLookMs, renewalTime } from "./renewal-time.ts";

/** What credentials are made of. */
export type CredentialsParts = RenewalParts & {
  readonly settings: TwitchSettings;
  readonly keeper: TokenKeeper;
  /** `null`: nobody can be asked, and the token is used as it is. */
  readonly ids: Pick<IdServer, "validate" | "refresh"> | null;
};

const readScopes = ["chat:read", "chat_login"];
const writeScopes = ["chat:edit", "chat_login"];
/** For a renewal that is under way when the adapter stops. */
const stopGraceMs = 1_500;

/** One adapter's. */
export class Credentials implements AsyncDisposable {
  /** Rejects with `unauthorized` or `forbidden` once only a person can help. */
  readonly failed: Promise<never>;
  readonly #parts: CredentialsParts;
  readonly #configured: string;
  readonly #failed = Promise.withResolvers<never>();
  readonly #ending = new AbortController();
  #token: StoredToken;
  #login = "";
  #renewAtMs: number | null = null;
  #renewing: Promise<void> | null = null;
  #look: Disposable | null = null;
  /** Looks in a row that came to nothing. */
  #failures = 0;

  private constructor(parts: CredentialsParts, configured: string, token: StoredToken) {
    this.#parts = parts;
    this.#configured = configured;
    this.#token = token;
    this.failed = this.#failed.promise;
    this.failed.catch(() => {});
    this.#use(token);
  }

  /** With the token that an earlier life was given, unless the config has another one since. */
  static async open(parts: CredentialsParts): Promise<Credentials> {
    const { oauthToken, refreshToken } = parts.settings;
    const configured = JSON.stringify([oauthToken, refreshToken]);
    const stored = await parts.keeper.withLock(configured, async (held) => held.stored);
    return new Credentials(
      parts,
      configured,
      stored ?? { accessToken: oauthToken, refreshToken: null, expiresAt: null },
    );
  }

  /** What to log in with now. */
  get accessToken(): string {
    return this.#token.accessToken;
  }

  /** Whose token it is; the configured name where nobody said. */
  get login(): string {
    return this.#login === "" ? this.#parts.settings.username : this.#login;
  }

  /**
   * Asks whether the token is valid, and renews one that is not. That nobody answers is no obstacle: the login will tell.
   * @throws {GatewayError} `unauthorized`, `forbidden` without the scopes it takes; the signal's reason.
   */
  async check(signal: AbortSignal): Promise<void> {
    const { ids, log } = this.#parts;
    if (ids === null) return;
    const token = this.accessToken;
    try {
      this.#take(await ids.validate(token, signal));
      this.#failures = 0;
    } catch (reason) {
      signal.throwIfAborted();
      const error = GatewayError.from(reason);
      if (error.code === "forbidden") throw error;
      if (error.code === "unauthorized") return this.renew(token, signal);
      this.#failures += 1;
      log.warn("twitch-token-not-checked", { error: error.message });
    }
  }

  /**
   * Gets another token in place of `refused`. One renewal at a time, in this life and all others.
   * @throws {GatewayError} `unauthorized` when only a person can help; what passes otherwise; the signal's reason.
   */
  async renew(refused: string, signal: AbortSignal): Promise<void> {
    if (refused !== this.accessToken) return;
    this.#renewing ??= this.#renew(refused).finally(() => {
      this.#renewing = null;
    });
    await orAborted(this.#renewing, signal);
  }

  /** From now on the token is looked after. */
  watch(): void {
    // Without the means to renew it, a token is used until it is refused.
    const renewAtMs = canRenew(this.#token, this.#parts) ? this.#renewAtMs : null;
    const delayMs = nextLookMs({ renewAtMs, nowMs: steadyNow(), failures: this.#failures });
    this.#look?.[Symbol.dispose]();
    this.#look = after(delayMs, () => void this.#lookAfter());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#look?.[Symbol.dispose]();
    // A token that is on its way may be the only one that is good by then.
    await withDeadline(this.#renewing ?? Promise.resolve(), stopGraceMs, "Renewing the token").catch(() => {});
    this.#ending.abort(new GatewayError("adapter_unavailable", "The adapter is stopping"));
  }

  async #renew(refused: string): Promise<void> {
    await this.#parts.keeper.withLock(this.#configured, async (held) => {
      const { stored } = held;
      // Another life has done it.
      if (stored !== null && stored.accessToken !== refused) return this.#use(stored);
      const parts = { ...this.#parts, signal: this.#ending.signal };
      try {
        this.#use(await renewToken(stored ?? this.#token, held, parts));
      } catch (reason) {
        // Such as what another program left: the config may have been given a good one since.
        const configured = this.#untriedToken(stored);
        if (configured === null || GatewayError.from(reason).code !== "unauthorized") throw reason;
        await storeToken(configured, held, parts);
        this.#use(configured);
      }
    });
    this.#failures = 0;
  }

  /** The configured token, where the one that is stored for it is another; it takes that one's place. */
  #untriedToken(stored: StoredToken | null): StoredToken | null {
    const { oauthToken, refreshToken } = this.#parts.settings;
    if (stored === null || stored.accessToken === oauthToken || oauthToken === "") return null;
    return { accessToken: oauthToken, refreshToken: refreshToken === "" ? null : refreshToken, expiresAt: null };
  }

  #use(token: StoredToken): void {
    this.#parts.learn(secretsOf(token));
    this.#token = token;
    this.#renewAtMs = null;
    if (token.expiresAt !== null) this.#expiresIn(Date.parse(token.expiresAt) - Date.now());
  }

  #take({ login, scopes, expiresInMs }: TokenFacts): void {
    const { settings, log } = this.#parts;
    if (login !== "" && login !== settings.username && this.#login === "")
      log.warn("twitch-username-differs", { configured: settings.username, actual: login });
    this.#login = login;
    if (!readScopes.some((scope) => scopes.includes(scope)))
      throw new GatewayError("forbidden", "Cannot read chat: the token lacks the scope chat:read", {
        userAction:
          "Authorise the bot again with the scopes chat:read and chat:edit, put the new token into the config, then reload",
      });
    if (!writeScopes.some((scope) => scopes.includes(scope))) log.warn("twitch-scope-missing", { scope: "chat:edit" });
    if (expiresInMs !== null) this.#expiresIn(expiresInMs);
  }

  /** Never later than was known: of what is left, which gets shorter, four fifths would never be over. */
  #expiresIn(leftMs: number): void {
    this.#renewAtMs = Math.min(this.#renewAtMs ?? Number.POSITIVE_INFINITY, renewalTime(leftMs, steadyNow()));
  }

  /** Never rejects: what passes is tried again, and what does not is told to who watches {@link Credentials.failed}. */
  async #lookAfter(): Promise<void> {
    const { signal } = this.#ending;
    const isDue = this.#renewAtMs !== null && steadyNow() >= this.#renewAtMs;
    try {
      if (isDue && canRenew(this.#token, this.#parts)) await this.renew(this.accessToken, signal);
      else await this.check(signal);
    } catch (reason) {
      if (signal.aborted) return;
      const error = GatewayError.from(reason);
      if (error.code === "unauthorized" || error.code === "forbidden") return this.#failed.reject(error);
      this.#failures += 1;
      this.#parts.log.warn("twitch-token-not-renewed", { error: error.message });
    }
    if (!signal.aborted) this.watch();
  }
}
