/** What an adapter may ask of the gateway, over its thread's port. */
import type { AdapterContext, MailboxEntry, StoredToken, TokenKeeper } from "../src/contract/adapter.ts";
import type { AdapterInit } from "../src/contract/protocol.ts";
import type { Response } from "../src/contract/response.ts";
import type { Emitter } from "./emitter.ts";
import type { Answer, ThreadPort } from "./thread-port.ts";

/** Transport frames are reported once a second at most: they only move a clock. */
const framePeriodMs = 1000;

/** The context of one generation. */
export function createContext(parts: {
  readonly init: AdapterInit;
  readonly port: ThreadPort;
  readonly emitter: Emitter;
  readonly signal: AbortSignal;
}): AdapterContext {
  const { init, port, emitter, signal } = parts;
  let lastFrameMs = Number.NEGATIVE_INFINITY;
  return {
    key: init.key,
    generation: init.generation,
    settings: init.settings,
    policy: init.policy,
    signal,
    log: port.log,
    emit: (message) => emitter.emit(message),
    frame() {
      const nowMs = performance.now();
      if (nowMs - lastFrameMs < framePeriodMs) return;
      lastFrameMs = nowMs;
      port.event({ event: "frame" });
    },
    reconnecting: (reason) => port.event({ event: "reconnecting", reason: reason.slice(0, 1024) }),
    connected: () => port.event({ event: "connected" }),
    missed: ({ messages = 0, gapSeconds = 0 }) => port.event({ event: "missed", messages, gapSeconds }),
    resume: {
      load: () => port.request("resume.load", {}, signal),
      store: (state) => emitter.storeResume(state),
    },
    budget: {
      acquire: async (kind) => {
        await port.request("budget.acquire", { kind }, signal);
      },
    },
    token: createTokenKeeper(port, signal),
    mailbox: {
      async read({ conversation, after, waitMs, remove, signal: caller }) {
        return parseEntries(await port.ask("mailbox.read", { conversation, after, waitMs, remove }, caller));
      },
      ack: (request) => port.notify("mailbox.ack", request),
    },
  };
}

function createTokenKeeper(port: ThreadPort, signal: AbortSignal): TokenKeeper {
  return {
    async withLock(configured, run) {
      try {
        // Made by the coordinator of the same version: trusted.
        const stored = (await port.request("token.lock", { configured }, signal)) as StoredToken | null;
        return await run({
          stored,
          async store(token) {
            // Without the signal: a token that was given must not be lost to a stop.
            await port.request("token.store", { token });
          },
        });
      } finally {
        port.notify("token.unlock", {});
      }
    },
  };
}

const decoder = new TextDecoder();

/** The answer says each entry's cursor and length; the responses themselves are the body, as they were stored. */
function parseEntries({ value, body }: Answer): readonly MailboxEntry[] {
  // Made by the coordinator of the same version: trusted.
  const lengths = value as readonly (readonly [cursor: number, bytes: number])[];
  let offset = 0;
  return lengths.map(([cursor, bytes]) => {
    const response = JSON.parse(decoder.decode(body.subarray(offset, offset + bytes))) as Response;
    offset += bytes;
    return { cursor, response };
  });
}
