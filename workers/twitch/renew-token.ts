/** A new token for a refresh token, on disk before anybody uses it. */
import type { AdapterLog, HeldToken, StoredToken } from "../../src/contract/adapter.ts";
import { GatewayError } from "../../src/contract/errors.ts";
import type { TwitchSettings } from "../../src/contract/settings.ts";
import { sleep } from "../../src/support/time.ts";
import type { IdServer, RefreshRequest } from "./id-server.ts";

/** What a renewal works with. */
export type RenewalParts = {
  /** `null`: nobody can be asked. */
  readonly ids: Pick<IdServer, "refresh"> | null;
  readonly settings: Pick<TwitchSettings, "clientId" | "clientSecret" | "refreshToken">;
  /** From now on these are secrets. */
  readonly learn: (secrets: readonly string[]) => void;
  readonly log: AdapterLog;
};

/** Tries to store one token: a disk that is full for a moment must not cost the account. */
const storeDelaysMs = [0, 500, 2_000, 5_000];

/** Whether there is all it takes to renew `token`. */
export function canRenew(token: StoredToken, parts: Pick<RenewalParts, "ids" | "settings">): boolean {
  return parts.ids !== null && requestOf(token, parts.settings) !== null;
}

/**
 * What Twitch gives in place of `token`, stored.
 * @throws {GatewayError} `unauthorized` when only a person can help; what passes otherwise.
 */
export async function renewToken(
  token: StoredToken,
  held: Pick<HeldToken, "store">,
  parts: RenewalParts & { readonly signal: AbortSignal },
): Promise<StoredToken> {
  const { ids, settings, learn, log, signal } = parts;
  const request = requestOf(token, settings);
  if (ids === null || request === null)
    throw new GatewayError("unauthorized", "Cannot go on: Twitch refuses the token, and it cannot be renewed", {
      userAction:
        "Put a new oauth_token into the config, with client_id, client_secret and refresh_token to have it renewed, then reload",
    });
  const { accessToken, refreshToken, expiresInMs } = await ids.refresh(request, signal);
  const renewed = {
    accessToken,
    // What was renewed once must not be forgotten where the next answer leaves it out.
    refreshToken: refreshToken ?? token.refreshToken,
    expiresAt: expiresInMs === null ? null : new Date(Date.now() + expiresInMs).toISOString(),
  };
  learn(secretsOf(renewed));
  await storeToken(renewed, held, parts);
  log.info("twitch-token-renewed", { expiresInSeconds: expiresInMs === null ? null : expiresInMs / 1_000 });
  return renewed;
}

/** What of a token must be seen nowhere. */
export function secretsOf({ accessToken, refreshToken }: StoredToken): readonly string[] {
  return refreshToken === null ? [accessToken] : [accessToken, refreshToken];
}

/** What cannot be stored is said, and used all the same: Twitch may have taken the old one back. */
export async function storeToken(
  token: StoredToken,
  held: Pick<HeldToken, "store">,
  { log, signal }: { readonly log: AdapterLog; readonly signal: AbortSignal },
): Promise<void> {
  let failure: unknown = null;
  for (const delayMs of storeDelaysMs) {
    try {
      if (delayMs > 0) await sleep(delayMs, signal);
      await held.store(token);
      return;
    } catch (reason) {
      failure = reason;
      if (signal.aborted) break;
    }
  }
  log.error("twitch-token-not-stored", { error: GatewayError.from(failure).message });
}

/** `null`: something that it takes is not configured. */
function requestOf(token: StoredToken, settings: RenewalParts["settings"]): RefreshRequest | null {
  const { clientId, clientSecret } = settings;
  const refreshToken = token.refreshToken ?? settings.refreshToken;
  return clientId === "" || clientSecret === "" || refreshToken === ""
    ? null
    : { clientId, clientSecret, refreshToken };
}
