/** The webhook: messages come by `POST /send`, replies wait until `GET /poll` takes them. */
import type { AdapterContext, AdapterModule, RunningAdapter } from "../../src/contract/adapter.ts";
import { capabilitiesOf } from "../../src/contract/capabilities.ts";
import { GatewayError } from "../../src/contract/errors.ts";
import type { WebhookSettings } from "../../src/contract/settings.ts";
import { addressText, HttpListener } from "../../src/support/http-listener.ts";
import { probeHttp } from "../../src/support/http-probe.ts";
import { WebhookServer } from "./webhook-server.ts";

/** What requests in progress get when the adapter stops; below `stop_timeout_ms`. */
const drainMs = 3_000;

const webhook: AdapterModule<WebhookSettings> = {
  platform: "webhook",
  capabilities: capabilitiesOf("webhook"),
  maxSilenceMs: 0,
  pull: true,
  start,
};
export default webhook;

async function start(context: AdapterContext<WebhookSettings>): Promise<RunningAdapter> {
  const { settings, log } = context;
  const server = new WebhookServer(context);
  const listener = await HttpListener.start({
    port: settings.port,
    bind: settings.bind,
    onRequest: (request, response) => server.handle(request, response),
    onError: (reason) => log.warn("webhook-listener-error", { message: reason.message }),
  });
  log.info("webhook-listening", { address: addressText(listener) });
  if (settings.authToken === "" && settings.signingSecret === "") log.warn("webhook-open", { bind: settings.bind });
  return {
    closed: listener.closed,
    async send({ conversation, response }) {
      if (response.kind !== "stream_chunk")
        throw new GatewayError("unsupported_response", `Cannot push ${response.kind}: replies wait in the mailbox`);
      server.polls.putChunk(conversation, response.text);
    },
    async updatePolicy(policy) {
      server.policy = policy;
    },
    probe: () => probeHttp(listener, "/health"),
    async stop() {
      server.stop();
      await listener.stop(drainMs);
    },
  };
}
