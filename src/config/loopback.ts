/** Which hosts never leave this machine, and which URLs may carry a secret: anything plain only to loopback. */
import { isIPv4 } from "node:net";

/** `localhost`, `127.0.0.0/8` and `::1`, with or without brackets. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/^\[(.*)\]$/u, "$1").toLowerCase();
  if (name === "localhost" || name.endsWith(".localhost") || name === "::1") return true;
  return isIPv4(name) && name.startsWith("127.");
}

/** The two spellings of a protocol family: the encrypted one and the plain one. */
export const urlSchemes = { http: ["https:", "http:"], webSocket: ["wss:", "ws:"] } as const;

/** What is wrong with `text` as a URL of the family, or `null`. The text itself is not repeated: URLs may hold credentials. */
export function urlProblem(text: string, family: keyof typeof urlSchemes): string | null {
  const [secure, plain] = urlSchemes[family];
  const url = URL.parse(text);
  const wanted = `expected a URL with ${secure}// (${plain}// only to loopback)`;
  if (url === null) return `found a string that is no URL, ${wanted}`;
  if (url.protocol !== secure && url.protocol !== plain) return `found a URL with ${url.protocol}, ${wanted}`;
  if (url.protocol === plain && !isLoopback(url.hostname)) return `found ${plain}// to ${url.hostname}, ${wanted}`;
  return null;
}
