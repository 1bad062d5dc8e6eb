/** Slack: heard by Socket Mode, or by requests of Slack's own where there is a signing secret; answered by its Web API. */
import { webApi } from "@slack/bolt";
import type { AdapterContext, AdapterModule, RunningAdapter } from "../../src/contract/adapter.ts";
import { capabilitiesOf } from "../../src/contract/capabilities.ts";
import { GatewayError } from "../../src/contract/errors.ts";
import type { SlackSettings } from "../../src/contract/settings.ts";
import { SlackApi, clientOptions } from "./api.ts";
import { HttpClient } from "./http-client.ts";
import { libraryLogger } from "./library-logger.ts";
import { startRequests } from "./request-transport.ts";
import { sendRatesAt } from "./send-rates.ts";
import { SlackSession } from "./session.ts";
import { startSocket } from "./socket-transport.ts";

const slack: AdapterModule<SlackSettings> = {
  platform: "slack",
  capabilities: capabilitiesOf("slack"),
  // Pings go out every two seconds, and what does not answer in six is cut.
  maxSilenceMs: 60_000,
  start,
};
export default slack;

async function start(context: AdapterContext<SlackSettings>): Promise<RunningAdapter> {
  const { settings, signal } = context;
  signal.throwIfAborted();
  const resources = new AsyncDisposableStack();
  const http = resources.use(new HttpClient());
  const broken = Promise.withResolvers<never>();
  broken.promise.catch(() => {});
  const onAbort = (): void => http[Symbol.dispose]();
  signal.addEventListener("abort", onAbort, { once: true });
  resources.defer(() => signal.removeEventListener("abort", onAbort));
  try {
    const logger = libraryLogger(context.log);
    const client = new webApi.WebClient(settings.botToken, { ...clientOptions(settings.apiUrl, http), logger });
    const api = new SlackApi(client, (error) => broken.reject(error));
    const identity = await api.identify();
    const session = resources.use(new SlackSession({ context, api, http, identity, logger }));
    await session.load();
    const startTransport = settings.signingSecret === "" ? startSocket : startRequests;
    const transport = resources.use(await startTransport({ context, http, logger, session }));
    session.begin();
    signal.throwIfAborted();
    return {
      closed: Promise.race([transport.closed, session.revoked, broken.promise]),
      sendRates: sendRatesAt(settings.apiUrl),
      send: async (request) => ({ platformMessageId: await session.responses.send(request) }),
      completeSend: async (request) => ({ platformMessageId: await session.responses.complete(request) }),
      setStatus: ({ conversation, replyTo, status }) => session.status.set(conversation, replyTo, status),
      history: (request) => session.history.read(request),
      attachment: (request) => session.files.download(request),
      async updatePolicy(policy) {
        session.intake.policy = policy;
      },
      async probe() {
        await api.identify();
        await transport.probe();
      },
      stop: () => resources.disposeAsync(),
    };
  } catch (reason) {
    await resources.disposeAsync();
    if (signal.aborted) throw signal.reason;
    throw GatewayError.from(reason);
  }
}
