/** The example's adapter with one defect each: what the kit must catch. */
import { connect } from "node:net";
import type { AdapterContext, AdapterModule, RunningAdapter, SendRequest } from "../../../src/contract/adapter.ts";
import type { EmittedMessage } from "../../../src/contract/message.ts";
import { GatewayError } from "../../../src/library.ts";
import type { AnyAdapterModule } from "../emulated-platform.ts";
import acme from "./acme-adapter.ts";

type Context = Parameters<typeof acme.start>[0];
type Start = typeof acme.start;

/** An adapter with another `start` than the example's. */
function broken(start: Start): AnyAdapterModule {
  return { ...acme, start } satisfies AdapterModule<Context["settings"]>;
}

/** The context with another `emit`. */
function emitting(
  context: Context,
  emit: (messages: readonly EmittedMessage[]) => Promise<readonly string[]>,
): Context {
  return {
    ...context,
    emit: (input: Parameters<AdapterContext["emit"]>[0]) =>
      emit(Array.isArray(input) ? (input as readonly EmittedMessage[]) : [input as EmittedMessage]),
  };
}

/** The running adapter with some of its functions replaced. */
async function replacing(
  context: Context,
  replacement: (running: RunningAdapter) => Partial<RunningAdapter>,
): Promise<RunningAdapter> {
  const running = await acme.start(context);
  return { ...running, ...replacement(running) };
}

/** Each text response as several, by UTF-16 units. */
function halves(request: SendRequest): readonly SendRequest[] {
  if (request.response.kind !== "text") return [request];
  const { text } = request.response;
  const parts = Array.from({ length: Math.ceil(text.length / 400) }, (_, index) =>
    text.slice(index * 400, index * 400 + 400),
  );
  return parts.map((part) => ({ ...request, response: { kind: "text", text: part } }));
}

let copies = 0;

/** By what each does. */
export const defects = {
  "acknowledges before the gateway has accepted": broken((context) =>
    acme.start(
      emitting(context, async (messages) => {
        context.emit(messages).catch(() => {});
        return messages.map(({ id }) => id);
      }),
    ),
  ),
  "gives a message that comes again a new id": broken((context) =>
    acme.start(
      emitting(context, (messages) => {
        copies += 1;
        return context.emit(messages.map((message) => ({ ...message, id: `${message.id}-${copies}` })));
      }),
    ),
  ),
  "says its token in the error of a start": broken(async (context) => {
    try {
      return await acme.start(context);
    } catch (reason) {
      const { code, message, retry, userAction } = GatewayError.from(reason);
      const said = `${message} (token ${encodeURIComponent(context.settings.token)})`;
      throw new GatewayError(code, said, { retry, userAction });
    }
  }),
  "leaves a socket open": broken(async (context) => {
    const running = await acme.start(context);
    connect(context.settings.port, context.settings.host).on("error", () => {});
    return running;
  }),
  "tries again and again by itself": broken(async (context) => {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await acme.start(context);
      } catch (reason) {
        const isServersOwn = String(reason).includes("a problem of its own");
        if (!isServersOwn || attempt > 100) throw reason;
      }
    }
  }),
  "waits for ever for its service": broken(async (context) => {
    try {
      return await acme.start(context);
    } catch (reason) {
      if (!String(reason).includes("no answer")) throw reason;
      return new Promise((_resolve, reject) => {
        context.signal.addEventListener("abort", () => reject(context.signal.reason as Error), { once: true });
      });
    }
  }),
  "cuts characters in two": broken((context) =>
    replacing(context, (running) => ({
      async send(request) {
        for (const part of halves(request)) await running.send?.(part);
      },
    })),
  ),
  "takes files of any size": broken((context) =>
    replacing(context, (running) => ({
      async attachment(request) {
        if (running.attachment === undefined) throw new TypeError("The example fetches attachments");
        return running.attachment({ ...request, maxBytes: 1e9 });
      },
    })),
  ),
  "reconnects for a policy": broken(async (context) => {
    let running = await acme.start(context);
    return {
      ...running,
      stop: () => running.stop(),
      async updatePolicy() {
        await running.stop();
        running = await acme.start(context);
      },
    };
  }),
  "says again what it has said": broken((context) =>
    replacing(context, (running) => ({
      async send(request) {
        await running.send?.(request);
        await running.send?.(request);
      },
    })),
  ),
} as const;
