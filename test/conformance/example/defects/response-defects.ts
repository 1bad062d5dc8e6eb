/** Wrong about what it shows, and what it says that it can show. */
import { GatewayError, type Response } from "../../../../src/library.ts";
import type { SendRequest } from "../../../../src/contract/adapter.ts";
import acme from "../acme-adapter.ts";
import { withRunning, withSend, withStart, type AcmeModule, type Defect } from "./defect.ts";

/** A module that says it can do these by itself. */
function claiming(kinds: readonly Response["kind"][], module: AcmeModule = acme): AcmeModule {
  const claimed = Object.fromEntries(kinds.map((kind) => [kind, "native"] as const));
  return { ...module, capabilities: { ...module.capabilities, ...claimed } };
}

const streamKinds = ["stream_start", "stream_chunk", "stream_end"] as const;

/** See each. */
export const responseDefects: readonly Defect[] = [
  {
    does: "answers in another room",
    module: withSend((request, send) => send({ ...request, conversation: "garden" })),
    fails: { start: ["starts, hears, answers and proves that it lives"] },
    inGateway: { fails: "talks through the gateway, and is gone when it ends", says: /garden/u },
  },
  {
    does: "says each thing only when the next one comes",
    module: withStart(async (context) => {
      const running = await acme.start(context);
      let waiting: SendRequest | null = null;
      return {
        ...running,
        async send(request) {
          const last = waiting;
          waiting = request;
          if (last !== null) await running.send?.(last);
        },
      };
    }),
    fails: {
      responses: [
        "shows a text",
        "shows a thread's reply",
        "shows a file",
        "sets a reaction and takes it off",
        "shows an ephemeral reply",
        "shows a rich message",
        "shows a scheduled message",
        "shows a stream",
        "ends a stream that an earlier life began",
      ],
    },
  },
  {
    does: "claims more than it can show",
    module: claiming([
      ...(["thread_reply", "file", "ephemeral", "scheduled_message", "remove_reaction"] as const),
      ...streamKinds,
    ]),
    fails: {
      responses: [
        "shows a thread's reply",
        "shows a file",
        "sets a reaction and takes it off",
        "shows an ephemeral reply",
        "shows a scheduled message",
        "shows a stream",
        "ends a stream that an earlier life began",
      ],
    },
  },
  {
    does: "calls an emoji by its name",
    module: withSend((request, send) =>
      send(
        request.response.kind === "reaction" ? { ...request, response: { kind: "reaction", emoji: ":+1:" } } : request,
      ),
    ),
    fails: { responses: ["sets a reaction and takes it off"] },
  },
  {
    does: "says a stream piece by piece",
    module: claiming(
      streamKinds,
      withSend(async (request, send) => {
        const { response } = request;
        if (response.kind === "stream_start") return;
        const isPiece = response.kind === "stream_chunk" || response.kind === "stream_end";
        return send(isPiece ? { ...request, response: { kind: "text", text: response.text } } : request);
      }),
    ),
    fails: { responses: ["shows a stream"] },
  },
  {
    does: "knows only the streams of its own life",
    module: claiming(
      streamKinds,
      withStart(async (context) => {
        const running = await acme.start(context);
        const streams = new Set<string>();
        return {
          ...running,
          async send(request) {
            const { conversation, response } = request;
            if (response.kind === "stream_start") streams.add(conversation);
            if (response.kind === "stream_start" || response.kind === "stream_chunk") return;
            if (response.kind !== "stream_end") return running.send?.(request);
            if (!streams.delete(conversation))
              throw new GatewayError("invalid_request", "Cannot end the stream: there is none");
            return running.send?.({ ...request, response: { kind: "text", text: response.text } });
          },
        };
      }),
    ),
    fails: { responses: ["ends a stream that an earlier life began"] },
  },
  {
    does: "refuses a status that it does not know",
    module: withRunning(() => ({
      async setStatus({ status }) {
        if (status.kind !== "thinking") throw new TypeError(`There is no status ${status.kind}`);
      },
    })),
    fails: { responses: ["takes every status"] },
  },
  {
    does: "tells history with the newest first",
    module: withRunning((running) => ({
      history: async (request) => ((await running.history?.(request)) ?? []).toReversed(),
    })),
    fails: { responses: ["tells what was said before"] },
  },
];
