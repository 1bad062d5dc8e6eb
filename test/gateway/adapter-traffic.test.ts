import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { GatewayError } from "../../src/contract/errors.ts";
import { decodeFrame, encodeFrame, frameKinds, type FrameKind } from "../../src/contract/frame.ts";
import type { InboundFrame } from "../../src/flow/fan-in.ts";
import { AdapterTraffic, type RequestAnswer } from "../../src/gateway/adapter-traffic.ts";
import { ResumeStates } from "../../src/gateway/resume-states.ts";
import { silentLogger } from "../support/silent-logger.ts";

type Sent = { readonly kind: FrameKind; readonly meta: unknown };

const origin = { key: "acme", generation: 7 };
const header = { id: `m${"x".repeat(22)}`, conversation: "c", kind: "text", senderId: "u", bytes: 3, routing: {} };

async function trafficFixture(options: { readonly read?: () => RequestAnswer | Promise<RequestAnswer> } = {}) {
  const sent: Sent[] = [];
  const waiters: (() => void)[] = [];
  const received: InboundFrame[] = [];
  const resumeStates = await ResumeStates.load({ query: async () => ({ acme: '{"offset":1}' }) as never });
  const traffic = new AdapterTraffic({
    flow: { receive: (frame) => received.push(frame) },
    adapters: {
      send: (_to, kind, meta) => {
        sent.push({ kind, meta });
        for (const waiter of waiters.splice(0)) waiter();
      },
    },
    mailboxes: { read: () => options.read?.() ?? { value: [] }, ack: () => {} },
    resumeStates,
    tokens: {
      lock: async ({ key }, args) => ({ value: { key, args } }),
      store: async () => {
        throw new GatewayError("conflict", "not locked");
      },
      unlock: () => ({ value: null }),
    },
    acquireBudget: async (_key, kind) => {
      if (kind === "identify")
        throw new GatewayError("rate_limited", "used up", { retry: { kind: "after", delayMs: 9 } });
    },
    logger: silentLogger,
  });
  const give = (kind: FrameKind, meta: unknown, body = ""): void =>
    traffic.onFrame(origin, decodeFrame(encodeFrame(kind, 7, meta, [Buffer.from(body)])));
  /** Asks, and resolves with the answer. */
  async function ask(method: string, args: unknown): Promise<unknown> {
    const answered = new Promise<void>((resolve) => waiters.push(resolve));
    const before = sent.length;
    give(frameKinds.request, { id: 1, method, args });
    if (sent.length === before) await answered;
    return sent.at(-1)?.meta;
  }
  return { give, ask, sent, received, resumeStates };
}

function errorCode(sent: Sent | undefined): string | undefined {
  return (sent?.meta as { readonly error?: { readonly code: string } } | undefined)?.error?.code;
}

function frameNumber(sent: Sent | undefined): number | undefined {
  return (sent?.meta as { readonly frame: number } | undefined)?.frame;
}

describe("AdapterTraffic", () => {
  it("accepts a frame to the thread only when the flow has settled it", async () => {
    const { give, sent, received } = await trafficFixture();
    give(frameKinds.data, { frame: 4, headers: [header] }, "abc");
    assert.deepEqual(sent, []);
    received[0]?.settle(null);
    assert.deepEqual(sent, [{ kind: frameKinds.accepted, meta: { frame: 4 } }]);
  });

  it("tells the thread why a frame was not accepted", async () => {
    const { give, sent, received } = await trafficFixture();
    give(frameKinds.data, { frame: 4, headers: [header] }, "abc");
    received[0]?.settle(new GatewayError("queue_full", "full"));
    assert.equal(errorCode(sent[0]), "queue_full");
  });

  it("gives credit back for a frame that is malformed, and hands nothing of it on", async () => {
    const { give, sent, received } = await trafficFixture();
    give(frameKinds.data, { frame: 5, headers: [{ ...header, bytes: 99 }] }, "abc");
    assert.deepEqual(received, []);
    assert.equal(frameNumber(sent[0]), 5);
    assert.equal(errorCode(sent[0]), "invalid_request");
  });

  it("gives the next generation the last resume state that was committed, not the last that was sent", async () => {
    const { give, ask, received } = await trafficFixture();
    assert.deepEqual(await ask("resume.load", {}), { id: 1, outcome: { ok: true, value: { offset: 1 } } });
    give(frameKinds.data, { frame: 1, headers: [], resume: { offset: 2 } });
    give(frameKinds.data, { frame: 2, headers: [], resume: { offset: 3 } });
    received[0]?.settle(null);
    received[1]?.settle(new GatewayError("journal_unavailable", "no"));
    assert.deepEqual(await ask("resume.load", {}), { id: 1, outcome: { ok: true, value: { offset: 2 } } });
  });

  it("answers a refused connect budget with its retry time", async () => {
    const { ask } = await trafficFixture();
    const { outcome } = (await ask("budget.acquire", { kind: "identify" })) as {
      outcome: { ok: boolean; error: { retry: unknown } };
    };
    assert.deepEqual([outcome.ok, outcome.error.retry], [false, { kind: "after", delayMs: 9 }]);
  });

  it("hands a token's requests on, with who asks", async () => {
    const { ask } = await trafficFixture();
    const args = { configured: "c" };
    assert.deepEqual(await ask("token.lock", args), { id: 1, outcome: { ok: true, value: { key: "acme", args } } });
    const { outcome } = (await ask("token.store", {})) as { outcome: { error: { code: string } } };
    assert.equal(outcome.error.code, "conflict");
    assert.deepEqual(await ask("token.unlock", {}), { id: 1, outcome: { ok: true, value: null } });
  });

  it("lets an adapter ask only for what adapters may", async () => {
    const { ask } = await trafficFixture();
    const { outcome } = (await ask("consumer.reply", {})) as { outcome: { error: { code: string } } };
    assert.equal(outcome.error.code, "invalid_request");
  });

  it("survives a request that is no request", async () => {
    const { give, sent } = await trafficFixture();
    for (const meta of [null, 5, {}, { id: -1, method: "resume.load" }, { id: 1, method: "__proto__" }])
      give(frameKinds.request, meta);
    assert.deepEqual(sent, []);
  });
});
