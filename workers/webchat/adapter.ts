/** The web chat: one page, one socket per open tab; replies wait in the mailbox until a page has stored them. */
import type { AdapterContext, AdapterModule, RunningAdapter } from "../../src/contract/adapter.ts";
import { capabilitiesOf } from "../../src/contract/capabilities.ts";
import { GatewayError } from "../../src/contract/errors.ts";
import type { WebchatSettings } from "../../src/contract/settings.ts";
import { addressText, HttpListener } from "../../src/support/http-listener.ts";
import { probeHttp } from "../../src/support/http-probe.ts";
import { ChatServer } from "./chat-server.ts";
import { PageAssets } from "./page-assets.ts";

/** What the last answers get after the pages were sent away. */
const drainMs = 500;

const webchat: AdapterModule<WebchatSettings> = {
  platform: "webchat",
  capabilities: capabilitiesOf("webchat"),
  maxSilenceMs: 0,
  pull: true,
  start,
};
export default webchat;

async function start(context: AdapterContext<WebchatSettings>): Promise<RunningAdapter> {
  const { settings, log } = context;
  const server = new ChatServer(context, await PageAssets.load(settings.title));
  const listener = await listen(server, context);
  log.info("webchat-listening", { address: addressText(listener) });
  return {
    closed: listener.closed,
    async send({ conversation, response }) {
      if (response.kind !== "stream_chunk")
        throw new GatewayError("unsupported_response", `Cannot push ${response.kind}: replies wait in the mailbox`);
      server.broadcast(conversation, { type: "chunk", text: response.text });
    },
    async setStatus({ conversation, status }) {
      server.broadcast(conversation, { type: "typing", on: status.kind !== "stop_typing" });
    },
    // Nothing in the policy concerns it.
    async updatePolicy() {},
    probe: () => probeHttp(listener, "/health"),
    async stop() {
      await server.stop();
      await listener.stop(drainMs);
    },
  };
}

async function listen(server: ChatServer, { settings, log }: AdapterContext<WebchatSettings>): Promise<HttpListener> {
  try {
    return await HttpListener.start({
      port: settings.port,
      bind: settings.bind,
      onRequest: (request, response) => server.handle(request, response),
      onUpgrade: (request, socket, head) => server.upgrade(request, socket, head),
      onError: (reason) => log.warn("webchat-listener-error", { message: reason.message }),
    });
  } catch (reason) {
    await server.stop();
    throw reason;
  }
}
