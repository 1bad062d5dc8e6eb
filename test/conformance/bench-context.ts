/** What an adapter on the bench is given: everything it says ends in the ledger. */
import type { AdapterContext } from "../../src/contract/adapter.ts";
import type { EmittedMessage } from "../../src/contract/message.ts";
import type { BenchLedger } from "./bench-ledger.ts";

/** The context of one life. After its end nothing counts that it still says. */
export function benchContext(
  given: Pick<AdapterContext, "key" | "generation" | "settings" | "policy" | "signal">,
  { ledger, isAlive }: { readonly ledger: BenchLedger; readonly isAlive: () => boolean },
): AdapterContext {
  const waiting = new Set<Promise<unknown>>();
  const log = (event: string, fields: Readonly<Record<string, unknown>> = {}): void =>
    ledger.log.add({ event, fields });
  return {
    ...given,
    log: { debug: log, info: log, warn: log, error: log },
    emit: (input) => {
      const messages = Array.isArray(input) ? (input as readonly EmittedMessage[]) : [input as EmittedMessage];
      const all = Promise.all(messages.map((message) => ledger.accept(message, isAlive)));
      waiting.add(all);
      const forget = (): boolean => waiting.delete(all);
      all.then(forget, forget);
      return all;
    },
    frame: () => {
      if (isAlive()) ledger.frames += 1;
    },
    reconnecting: (reason) => ledger.signs.add({ kind: "reconnecting", reason }),
    connected: () => ledger.signs.add({ kind: "connected", reason: "" }),
    missed: ({ messages = 0, gapSeconds = 0 }) => {
      ledger.missedMessages += messages;
      ledger.gapSeconds += gapSeconds;
    },
    resume: {
      // What is stored goes through JSON.
      load: async () => structuredClone(ledger.resumeState),
      store: async (state) => {
        const value: unknown = JSON.parse(JSON.stringify(state));
        await Promise.all(waiting);
        if (isAlive()) ledger.resumeState = value;
      },
    },
    budget: { acquire: async () => {} },
    token: ledger.tokens,
    mailbox: ledger.mailbox,
  };
}
