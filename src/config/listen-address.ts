/** `[admin] listen` as text, parsed. */
import path from "node:path";
import type { ListenAddress } from "../contract/config.ts";

const highestPort = 65_535;

/** `"127.0.0.1:8787"`, `"[::1]:8787"` or `"unix:/path"` (relative to `baseDir`); `null` for anything else. */
export function parseListenAddress(text: string, baseDir: string): ListenAddress | null {
  if (text.startsWith("unix:")) {
    const socket = text.slice("unix:".length);
    return socket === "" ? null : { kind: "unix", path: path.resolve(baseDir, socket) };
  }
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/u.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port > highestPort) return null;
  return { kind: "tcp", host, port };
}
