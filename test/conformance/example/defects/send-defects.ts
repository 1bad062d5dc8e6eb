/** Wrong about sends that fail, and about secrets when they do. */
import type { SendRequest } from "../../../../src/contract/adapter.ts";
import { GatewayError } from "../../../../src/library.ts";
import acme from "../acme-adapter.ts";
import { emitting, withFailure, withRunning, withSend, withStart, type AcmeContext, type Defect } from "./defect.ts";

function telling(reason: unknown, { settings }: AcmeContext): GatewayError {
  const { code, message, retry, userAction } = GatewayError.from(reason);
  return new GatewayError(code, `${message} (token ${encodeURIComponent(settings.token)})`, { retry, userAction });
}

function delay(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, delayMs);
    signal.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        reject(signal.reason as Error);
      },
      { once: true },
    );
  });
}

/** See each. */
export const sendDefects: readonly Defect[] = [
  {
    does: "says again what it has said",
    module: withSend(async (request, send) => {
      await send(request);
      return send({ ...request, idempotencyKey: `${request.idempotencyKey}-again` });
    }),
    fails: {
      "send-faults": [
        "keeps the wait that a rate limit asks for",
        "says it once after a server error",
        "says it once after its socket was cut",
      ],
    },
  },
  {
    does: "waits as long as it is asked to, however long that is",
    module: withSend(async (request, send) => {
      for (;;) {
        try {
          return await send(request);
        } catch (reason) {
          const { retry } = GatewayError.from(reason);
          if (retry.kind !== "after") throw reason;
          await delay(retry.delayMs, request.signal);
        }
      }
    }),
    fails: { "send-faults": ["passes on a rate limit that lasts longer than a send"] },
  },
  {
    does: "tries a send again and again",
    module: withSend(async (request, send) => {
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await send(request);
        } catch (reason) {
          if (GatewayError.from(reason).code !== "platform_unavailable" || attempt === 100) throw reason;
        }
      }
    }),
    fails: { "send-faults": ["gives up a send after a few calls"] },
  },
  {
    does: "waits for ever for the answer to a send",
    module: withSend(async (request, send) => {
      try {
        return await send(request);
      } catch (reason) {
        if (GatewayError.from(reason).code !== "timeout") throw reason;
        return new Promise((_resolve, reject) => {
          request.signal.addEventListener("abort", () => reject(reason as Error), { once: true });
        });
      }
    }),
    fails: { "send-faults": ["ends a send that is never answered, and hears meanwhile"] },
  },
  {
    does: "waits with its stop for every send",
    module: withStart(async (context) => {
      const { signal } = new AbortController();
      const running = await acme.start({ ...context, signal });
      const sends = new Set<Promise<unknown>>();
      return {
        ...running,
        async send(request: SendRequest) {
          const sending = Promise.resolve(running.send?.({ ...request, signal }));
          sends.add(sending);
          return sending;
        },
        async stop() {
          await Promise.allSettled(sends);
          await running.stop();
        },
      };
    }),
    fails: { "send-faults": ["stops under a send that is never answered"] },
  },
  {
    does: "takes a room that is not there for a passing fault",
    module: withSend(async (request, send) => {
      try {
        return await send(request);
      } catch (reason) {
        const { code, message } = GatewayError.from(reason);
        throw code === "not_found" ? new GatewayError("platform_unavailable", message) : reason;
      }
    }),
    fails: { "send-faults": ["refuses a conversation that is not there, for good"] },
  },
  {
    does: "says again what may have arrived",
    module: withRunning((running) => ({
      completeSend: async (request) => running.send?.({ ...request, idempotencyKey: request.attemptedAt }),
    })),
    fails: { "doubtful-sends": ["finds what was said when its answer was lost, and says it no second time"] },
  },
  {
    does: "takes what may have arrived for arrived",
    module: withRunning(() => ({ completeSend: async () => ({ platformMessageId: null }) })),
    fails: { "doubtful-sends": ["says once what was lost before it was said"] },
  },
  {
    does: "says its token in the error of a start",
    module: withFailure(telling),
    fails: { secrets: ["keeps its secrets when a start fails"] },
    inGateway: { fails: "leaves its secrets in no log, status, metric, error or file", says: /planted-acme-token/u },
  },
  {
    does: "says its token in the error of a send",
    module: withSend(async (request, send, context) => {
      try {
        return await send(request);
      } catch (reason) {
        throw telling(reason, context);
      }
    }),
    fails: { secrets: ["keeps its secrets when a send fails"] },
  },
  {
    does: "puts its token into the address of a file",
    module: withStart((context) =>
      acme.start(
        emitting(context, async (message) => {
          const attachments = (message.attachments ?? []).map((attachment) => ({
            ...attachment,
            url: `https://files.invalid/${attachment.ref}?token=${context.settings.token}`,
          }));
          await context.emit({ ...message, attachments });
        }),
      ),
    ),
    fails: { secrets: ["keeps its secrets while all is well"] },
  },
];
