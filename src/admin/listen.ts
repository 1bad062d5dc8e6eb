/** Binds the admin API's server to its address, or says in one sentence why it cannot. */
import { chmod, lstat, unlink } from "node:fs/promises";
import type { Server } from "node:http";
import { createConnection } from "node:net";
import type { ListenAddress } from "../contract/config.ts";
import { GatewayError } from "../contract/errors.ts";
import { errnoOf } from "../support/errno.ts";

/** `127.0.0.1:8787`, `[::1]:8787`, `unix:/path`. */
export function formatAddress(listen: ListenAddress): string {
  if (listen.kind === "unix") return `unix:${listen.path}`;
  return `${listen.host.includes(":") ? `[${listen.host}]` : listen.host}:${listen.port}`;
}

/**
 * Listens, and answers with the address as it is (a port 0 becomes the one that was given). A unix socket that is left over
 * from a dead process is replaced; it gets mode 0600.
 * @throws {GatewayError} `conflict` when somebody else listens there; `forbidden`, `invalid_request` when the address cannot be used.
 */
export async function bindServer(server: Server, listen: ListenAddress): Promise<ListenAddress> {
  try {
    await listenOnce(server, listen);
  } catch (reason) {
    const isStale = listen.kind === "unix" && errnoOf(reason) === "EADDRINUSE" && (await isStaleSocket(listen.path));
    if (!isStale) throw explain(reason, listen);
    await unlink(listen.path);
    await listenOnce(server, listen).catch((again: unknown) => {
      throw explain(again, listen);
    });
  }
  if (listen.kind === "unix") {
    await chmod(listen.path, 0o600);
    return listen;
  }
  const bound = server.address();
  return typeof bound === "object" && bound !== null ? { ...listen, port: bound.port } : listen;
}

function listenOnce(server: Server, listen: ListenAddress): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen(listen.kind === "unix" ? { path: listen.path } : { host: listen.host, port: listen.port }, resolve);
  return promise.finally(() => {
    server.off("error", reject);
    server.off("listening", resolve);
  });
}

/** Only a socket that refuses is stale: a regular file, or one that answers, is somebody's. */
async function isStaleSocket(path: string): Promise<boolean> {
  if (!(await lstat(path)).isSocket()) return false;
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const probe = createConnection({ path });
  probe.once("connect", () => resolve(false));
  probe.once("error", (reason) => resolve(errnoOf(reason) === "ECONNREFUSED"));
  return promise.finally(() => probe.destroy());
}

function explain(reason: unknown, listen: ListenAddress): GatewayError {
  const cannot = `Cannot listen on ${formatAddress(listen)}`;
  const userAction = "Change [admin] listen, or stop what uses the address";
  const code = errnoOf(reason);
  if (code === "EADDRINUSE")
    return new GatewayError("conflict", `${cannot}: the address is in use, expected a free one`, {
      userAction,
      cause: reason,
    });
  if (code === "EACCES" || code === "EPERM")
    return new GatewayError("forbidden", `${cannot}: not permitted for this user`, { userAction, cause: reason });
  return new GatewayError(
    "invalid_request",
    `${cannot}: ${code ?? String(reason)}, expected an address of this machine`,
    {
      userAction,
      cause: reason,
    },
  );
}
