/** A web chat in the test's own process, on a free port. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";
import type { RunningAdapter } from "../../src/contract/adapter.ts";
import type { WebchatSettings } from "../../src/contract/settings.ts";
import webchat from "../../workers/webchat/adapter.ts";
import { adapterContext, listeningUrl, type AdapterContextOptions, type TestContext } from "./adapter-context.ts";

/** A started web chat and what goes through it. */
export type RunningWebchat = TestContext<WebchatSettings> &
  AsyncDisposable & {
    readonly adapter: RunningAdapter;
    readonly url: string;
    /** Sends a running stream's text so far, as the outbox does. */
    readonly chunk: (conversation: string, text: string) => Promise<void>;
    /** Cuts every open socket without a word, as a network does. */
    readonly dropConnections: () => void;
  };

/** Starts one; disposing stops it. */
export async function startWebchat(
  settings: Partial<WebchatSettings> = {},
  options: Partial<AdapterContextOptions<WebchatSettings>> = {},
): Promise<RunningWebchat> {
  const test = adapterContext<WebchatSettings>({
    settings: {
      port: 0,
      bind: "127.0.0.1",
      authToken: "",
      allowedOrigins: [],
      title: "Chat",
      rateLimitPerSender: 5,
      ...settings,
    },
    ...options,
  });
  const sockets = new Set<Socket>();
  const onConnection = (message: unknown): void => {
    const { socket } = message as { readonly socket: Socket };
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  };
  subscribe("net.server.socket", onConnection);
  const adapter = await webchat.start(test.context);
  return {
    ...test,
    adapter,
    url: listeningUrl(test.log),
    chunk: async (conversation, text) => {
      const response = { kind: "stream_chunk", text } as const;
      await adapter.send?.({
        conversation,
        replyTo: null,
        response,
        idempotencyKey: "chunk",
        signal: test.context.signal,
      });
    },
    dropConnections: () => {
      for (const socket of sockets) socket.resetAndDestroy();
    },
    [Symbol.asyncDispose]: async () => {
      unsubscribe("net.server.socket", onConnection);
      await adapter.stop();
    },
  };
}
