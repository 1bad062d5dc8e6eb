/** The admin API: what operators, the command line and monitoring talk to. A thin shell over {@link GatewayControl}. */
import type { Server } from "node:http";
import { getRequestListener } from "@hono/node-server";
import type { ListenAddress } from "../contract/config.ts";
import type { GatewayControl } from "../contract/control.ts";
import { GatewayError } from "../contract/errors.ts";
import type { Logger } from "../support/logger.ts";
import { createServer } from "../support/node-http.ts";
import { withDeadline } from "../support/time.ts";
import { adminApplication } from "./application.ts";
import { errorRecord, statusOf } from "./error-answer.ts";
import { bindServer, formatAddress } from "./listen.ts";
import type { Metrics } from "./metrics.ts";
import { readAdminPage } from "./page-routes.ts";

/** How much of the process one client, or all of them, can hold. Times in milliseconds. */
export type AdminLimits = {
  /** For a request's headers to come in whole. @default 10_000 */
  readonly headersTimeoutMs: number;
  /** For a whole request to come in. @default 30_000 */
  readonly requestTimeoutMs: number;
  /** How often both are looked at. @default 1000 */
  readonly connectionCheckMs: number;
  /** @default 256 */
  readonly maxConnections: number;
  /** Open `/v1/events`. @default 32 */
  readonly maxEventStreams: number;
  /** Silence after which `/v1/events` sends a comment. @default 15_000 */
  readonly heartbeatMs: number;
};

const defaultLimits: AdminLimits = {
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  connectionCheckMs: 1000,
  maxConnections: 256,
  maxEventStreams: 32,
  heartbeatMs: 15_000,
};
const closeDeadlineMs = 1000;

/** What {@link startAdminServer} needs. */
export type AdminServerOptions = {
  readonly listen: ListenAddress;
  readonly token: string;
  readonly control: GatewayControl;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly limits?: Partial<AdminLimits>;
};

/** A listening admin API. Disposing ends every connection within a second. */
export interface AdminServer extends AsyncDisposable {
  /** `127.0.0.1:8787` or `unix:/path`, for people. */
  readonly address: string;
  /** `http://127.0.0.1:8787`, or `unix:/path` for a socket. */
  readonly url: string;
}

/** @throws {GatewayError} `conflict` naming the address when it is in use; `forbidden`, `invalid_request` when it cannot be used. */
export async function startAdminServer(options: AdminServerOptions): Promise<AdminServer> {
  const limits = { ...defaultLimits, ...options.limits };
  const closing = new AbortController();
  const application = adminApplication({
    ...options,
    limits,
    page: await readAdminPage(),
    closing: closing.signal,
  });
  const server = createServer(
    {
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      connectionsCheckingInterval: limits.connectionCheckMs,
    },
    getRequestListener(application.fetch, {
      // The host process is the user's too: its global Request and Response stay what they are.
      overrideGlobalObjects: false,
      errorHandler: unreadableRequest,
    }) as (...parameters: Parameters<ReturnType<typeof getRequestListener>>) => void,
  );
  server.maxConnections = limits.maxConnections;
  const bound = await bindServer(server, options.listen);
  server.on("error", (reason) =>
    options.logger.error("admin-server-failed", { error: GatewayError.from(reason).toReport() }),
  );
  const address = formatAddress(bound);
  return {
    address,
    url: bound.kind === "unix" ? address : `http://${address}`,
    [Symbol.asyncDispose]: () => close(server, closing),
  };
}

async function close(server: Server, closing: AbortController): Promise<void> {
  if (!server.listening) return;
  closing.abort();
  const closed = Promise.withResolvers<void>();
  server.close(() => closed.resolve());
  server.closeIdleConnections();
  try {
    await withDeadline(closed.promise, closeDeadlineMs, "Closing the admin API");
  } catch {
    // Whoever still holds a connection has had its time.
    server.closeAllConnections();
    await closed.promise;
  }
}

/** A request that cannot even be read as one, such as one with two hosts. */
function unreadableRequest(reason: unknown): Response {
  const error = new GatewayError("invalid_request", "Cannot read the request: its host or path is malformed", {
    cause: reason,
  });
  return Response.json({ error: errorRecord(error) }, { status: statusOf(error.code) });
}
