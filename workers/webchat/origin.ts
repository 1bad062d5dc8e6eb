/** Which pages may open a socket. A browser names the page's origin, and no page can change that. */
import { isUnforgeableHost } from "../../src/support/loopback.ts";

/** What an upgrade is judged by. */
export type OriginCheck = {
  /** `undefined`: not a browser, which has no visitor's rights to abuse. */
  readonly origin: string | undefined;
  readonly host: string | undefined;
  readonly allowedOrigins: readonly string[];
  /** On loopback without a token, the page's own name must not be one that another site can point here. */
  readonly needsUnforgeableHost: boolean;
};

/** Whether the socket may be opened: from our own page, or from an origin the settings name. */
export function isAllowedOrigin({ origin, host, allowedOrigins, needsUnforgeableHost }: OriginCheck): boolean {
  if (origin === undefined) return true;
  const parsed = URL.parse(origin);
  if (parsed === null) return false;
  if (allowedOrigins.some((allowed) => URL.parse(allowed)?.origin === parsed.origin && parsed.origin !== "null"))
    return true;
  if (host === undefined || parsed.host === "" || parsed.host !== withoutDefaultPort(host, parsed.protocol))
    return false;
  return !needsUnforgeableHost || isUnforgeableHost(host);
}

/** A Host header may name the scheme's own port, which an origin never does. */
function withoutDefaultPort(host: string, protocol: string): string {
  return URL.parse(`${protocol}//${host}`)?.host ?? "";
}
