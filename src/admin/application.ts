/** The admin API as one function from request to answer: guards, then limits, then routes. */
import { Hono, type Context } from "hono";
import { methodNotAllowed } from "hono/method-not-allowed";
import { secureHeaders } from "hono/secure-headers";
import { GatewayError } from "../contract/errors.ts";
import { answerError } from "./error-answer.ts";
import { eventFrames } from "./event-stream.ts";
import { gatewayRoutes, openPaths } from "./gateway-routes.ts";
import { guardOrigin, guardToken } from "./guard.ts";
import { inspectionRoutes } from "./inspection-routes.ts";
import { messageRoutes } from "./message-routes.ts";
import { pageRoutes } from "./page-routes.ts";
import { guardBodySize } from "./request-body.ts";
import type { AdminLimits, AdminServerOptions } from "./server.ts";
import type { PageFile } from "../support/page-files.ts";

/** {@link AdminServerOptions} in full, the page by path, and the signal that ends every stream. */
export type ApplicationOptions = AdminServerOptions & {
  readonly limits: AdminLimits;
  readonly page: ReadonlyMap<string, PageFile>;
  readonly closing: AbortSignal;
};

/** The hono application behind the admin server. */
export function adminApplication(options: ApplicationOptions): Hono {
  const { control, logger, metrics, page } = options;
  const app = new Hono();
  app.use(secureHeaders());
  app.use(guardOrigin(options.listen));
  app.use(guardToken(options.token, (path) => openPaths.has(path) || page.has(path)));
  app.use(methodNotAllowed({ app, onMethodNotAllowed: answerWrongMethod }));
  app.use(guardBodySize);
  app.route("/", gatewayRoutes(control, metrics));
  app.route("/", inspectionRoutes(control));
  app.route("/", messageRoutes(control));
  app.get("/v1/events", eventsHandler(options));
  app.route("/", pageRoutes(page));
  app.notFound((context) =>
    answerError(context, new GatewayError("not_found", `Cannot find ${context.req.method} ${context.req.path}`)),
  );
  app.onError((reason, context) => {
    const error = GatewayError.from(reason);
    if (error.code === "internal" && !context.req.raw.signal.aborted)
      logger.error("admin-request-failed", { path: context.req.path, error: error.toReport() });
    return answerError(context, error);
  });
  return app;
}

function answerWrongMethod(context: Context, methods: readonly string[]): Response {
  const allowed = methods.join(", ");
  context.header("Allow", allowed);
  return answerError(
    context,
    new GatewayError("invalid_request", `Cannot ${context.req.method} ${context.req.path}: expected ${allowed}`),
    405,
  );
}

function eventsHandler(options: ApplicationOptions): (context: Context) => Response {
  const { control, limits, logger } = options;
  let openStreams = 0;
  return (context) => {
    if (openStreams >= limits.maxEventStreams)
      return answerError(
        context,
        new GatewayError(
          "rate_limited",
          `Cannot open another event stream: ${openStreams} are open, the most there may be`,
        ),
      );
    const lastEventId = context.req.header("last-event-id") ?? "";
    const signal = AbortSignal.any([context.req.raw.signal, options.closing]);
    const events = control.events({ afterId: /^\d{1,15}$/.test(lastEventId) ? Number(lastEventId) : null, signal });
    openStreams += 1;
    const body = ReadableStream.from(
      onEnd(eventFrames(events, { heartbeatMs: limits.heartbeatMs, signal }), {
        failed: (reason) => logger.error("admin-events-failed", { error: GatewayError.from(reason).toReport() }),
        ended: () => {
          openStreams -= 1;
        },
      }),
    );
    return context.body(body as ReadableStream<Uint8Array<ArrayBuffer>>, 200, {
      "Content-Type": "text/event-stream",
      "Cache-Control": "no-store",
      "X-Accel-Buffering": "no",
    });
  };
}

async function* onEnd<T>(
  items: AsyncIterable<T>,
  callbacks: { readonly failed: (reason: unknown) => void; readonly ended: () => void },
): AsyncGenerator<T> {
  try {
    yield* items;
  } catch (reason) {
    callbacks.failed(reason);
  } finally {
    callbacks.ended();
  }
}
