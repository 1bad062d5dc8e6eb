/** Who may ask: the bearer of the token, and no web page of another origin. */
import { timingSafeEqual } from "node:crypto";
import type { MiddlewareHandler } from "hono";
import type { ListenAddress } from "../contract/config.ts";
import { GatewayError } from "../contract/errors.ts";
import { isLoopback, isUnforgeableHost } from "../support/loopback.ts";
import { answerError } from "./error-answer.ts";

/**
 * Refuses what only a browser led astray would send. A foreign `Origin` (or `null`) is another site's page. On a loopback
 * address a `Host` that is a name was made to point here (DNS rebinding); elsewhere any name may be ours.
 */
export function guardOrigin(listen: ListenAddress): MiddlewareHandler {
  const isLocal = listen.kind === "tcp" && isLoopback(listen.host);
  return async (context, next) => {
    const host = context.req.header("host") ?? "";
    if (isLocal && !isUnforgeableHost(host))
      return answerError(
        context,
        new GatewayError("forbidden", `Cannot answer for host ${quote(host)}: expected an address or localhost`),
      );
    const origin = context.req.header("origin");
    if (origin !== undefined && !isSameOrigin(origin, host))
      return answerError(
        context,
        new GatewayError("forbidden", `Cannot answer origin ${quote(origin)}: expected this server's own`),
      );
    return next();
  };
}

/** 401 without the bearer token; compared in constant time. `isOpen` paths need none. */
export function guardToken(token: string, isOpen: (path: string) => boolean): MiddlewareHandler {
  const expected = Buffer.from(token, "utf8");
  return async (context, next) => {
    if (isOpen(context.req.path)) return next();
    const header = context.req.header("authorization") ?? "";
    const given = /^bearer +(\S+) *$/i.exec(header)?.[1];
    if (given !== undefined && isEqual(expected, Buffer.from(given, "utf8"))) return next();
    const found = given === undefined ? "no bearer token" : "another token";
    return answerError(
      context,
      new GatewayError("unauthorized", `Cannot answer: found ${found}, expected the one in the state directory`),
    );
  };
}

function isEqual(expected: Buffer, given: Buffer): boolean {
  // Every length takes one comparison; how long the token is, is no secret.
  const isSameLength = expected.length === given.length;
  return timingSafeEqual(expected, isSameLength ? given : expected) && isSameLength;
}

function isSameOrigin(origin: string, host: string): boolean {
  const lower = origin.toLowerCase();
  return lower === `http://${host.toLowerCase()}` || lower === `https://${host.toLowerCase()}`;
}

function quote(value: string): string {
  return JSON.stringify(value.slice(0, 200));
}
