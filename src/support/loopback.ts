/** What counts as this machine, and which Host headers a listener without a password may believe. */
import { isIP } from "node:net";

/** Whether a `bind` value reaches nobody but this machine. */
export function isLoopback(host: string): boolean {
  const plain = withoutBrackets(host).toLowerCase();
  return plain === "localhost" || plain === "::1" || plain === "::ffff:127.0.0.1" || /^127(\.\d{1,3}){3}$/u.test(plain);
}

/**
 * Whether a request's Host header is safe to serve without a password. Only addresses and `localhost` are: any other
 * name can be made to point at this machine by the page that uses it (DNS rebinding), and its origin would then be ours.
 */
export function isUnforgeableHost(hostHeader: string): boolean {
  const host = hostnameOf(hostHeader).toLowerCase();
  return host === "localhost" || host.endsWith(".localhost") || isIP(host) !== 0;
}

function hostnameOf(hostHeader: string): string {
  if (hostHeader.startsWith("[")) return hostHeader.slice(1, Math.max(1, hostHeader.indexOf("]")));
  const colon = hostHeader.indexOf(":");
  return colon === -1 ? hostHeader : hostHeader.slice(0, colon);
}

function withoutBrackets(host: string): string {
  return host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host;
}
