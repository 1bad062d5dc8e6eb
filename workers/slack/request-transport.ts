/** Hearing Slack by requests of its own, on a port that Slack can reach. */
import { HttpListener, addressText } from "../../src/support/http-listener.ts";
import { probeHttp } from "../../src/support/http-probe.ts";
import { every } from "../../src/support/time.ts";
import { RequestServer } from "./request-server.ts";
import type { Transport, TransportOptions } from "./transport.ts";

/** Slack may have nothing to say for days: the port is what shows life. */
const signOfLifeMs = 20_000;
/** For requests in progress when the adapter stops. */
const drainMs = 1_500;

/** Listens. @throws {GatewayError} `conflict` for a port in use, and the like. */
export async function startRequests({ context, session }: TransportOptions): Promise<Transport> {
  const { settings, log } = context;
  const server = new RequestServer({
    context,
    signingSecret: settings.signingSecret,
    receive: (body) => session.intake.receive(body),
  });
  const listener = await HttpListener.start({
    port: settings.port,
    bind: settings.bind,
    onRequest: (request, response) => server.handle(request, response),
    onError: (reason) => log.warn("slack-listener-error", { message: reason.message }),
  });
  log.info("slack-listening", { address: addressText(listener) });
  const probe = (): Promise<void> => probeHttp(listener, "/health");
  const signs = every(
    signOfLifeMs,
    () => {
      // Its failure is the missing sign.
      probe().then(
        () => context.frame(),
        () => {},
      );
    },
    () => {},
  );
  return {
    closed: listener.closed,
    probe,
    async [Symbol.asyncDispose]() {
      signs[Symbol.dispose]();
      server.stop();
      await listener.stop(drainMs);
    },
  };
}
