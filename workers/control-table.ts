/**
 * The control plane's thread side. Comlink lets a peer walk to `constructor` and run code in whatever thread exposes an
 * object, so only frames that apply exactly one known method reach it, and the object has no prototype.
 */
import { expose } from "comlink";
import type { MessagePort } from "node:worker_threads";
import { GatewayError } from "../src/contract/errors.ts";
import { controlMethods, type ControlMethod, type Outcome } from "../src/contract/protocol.ts";

/** One function per control method; each gets one plain argument. */
export type ControlHandlers = Readonly<Record<ControlMethod, (args: never) => Promise<unknown>>>;

/** Answers calls on `port` with tagged records: Comlink drops an error's code, a record keeps it. */
export function exposeControl(port: MessagePort, handlers: ControlHandlers, onRefused: (why: string) => void): void {
  const table: Record<string, (args: unknown) => Promise<Outcome>> = Object.create(null) as Record<string, never>;
  for (const method of controlMethods) {
    table[method] = async (args) => {
      try {
        return { ok: true, value: await handlers[method](args as never) };
      } catch (reason) {
        return { ok: false, error: GatewayError.from(reason).toReport() };
      }
    };
  }
  Object.freeze(table);
  expose(table, {
    postMessage: (message, transfer) => port.postMessage(message, (transfer ?? []) as never),
    addEventListener: (_type, listener) => {
      port.on("message", (data: unknown) => {
        if (!isKnownCall(data)) return onRefused("a control frame that is no call of a known method");
        const event = { data } as MessageEvent;
        if (typeof listener === "function") listener(event);
        else listener.handleEvent(event);
      });
    },
    // Comlink removes its listener only on RELEASE, which is refused: the port ends with the thread.
    removeEventListener: () => {},
  });
}

function isKnownCall(data: unknown): boolean {
  if (typeof data !== "object" || data === null) return false;
  const { type, path, argumentList } = data as Record<string, unknown>;
  return (
    type === "APPLY" &&
    Array.isArray(path) &&
    path.length === 1 &&
    (controlMethods as readonly unknown[]).includes(path[0]) &&
    Array.isArray(argumentList) &&
    argumentList.every((argument) => (argument as { type?: unknown } | null)?.type === "RAW")
  );
}
