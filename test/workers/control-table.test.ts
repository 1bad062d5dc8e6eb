import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it } from "node:test";
import { MessageChannel } from "node:worker_threads";
import { wrap } from "comlink";
import { GatewayError } from "../../src/contract/errors.ts";
import type { Outcome } from "../../src/contract/protocol.ts";
import { exposeControl, type ControlHandlers } from "../../workers/control-table.ts";

const handlers: ControlHandlers = {
  start: async () => "started",
  stop: async () => {
    throw new GatewayError("forbidden", "no", { userAction: "ask somebody" });
  },
  send: async (args) => args,
  completeSend: async (args) => args,
  setStatus: async () => null,
  attachment: async () => null,
  history: async () => [],
  updatePolicy: async () => null,
  probe: async () => null,
};

function controlFixture(): Disposable & { readonly refused: Promise<string>; readonly port: MessageChannel["port1"] } {
  const { port1, port2 } = new MessageChannel();
  const refused = Promise.withResolvers<string>();
  exposeControl(port2, handlers, (why) => refused.resolve(why));
  return { refused: refused.promise, port: port1, [Symbol.dispose]: () => port1.close() };
}

describe("exposeControl()", () => {
  it("answers a call of a known method with a tagged record", async () => {
    using fixture = controlFixture();
    const remote = wrap<Record<string, (args: unknown) => unknown>>(fixture.port);
    assert.deepEqual(await remote["send"]?.({ a: 1 }), { ok: true, value: { a: 1 } });
  });

  it("keeps an error's code and user action, which Comlink alone would drop", async () => {
    using fixture = controlFixture();
    const remote = wrap<Record<string, (args: unknown) => unknown>>(fixture.port);
    const outcome = (await remote["stop"]?.({})) as Outcome;
    assert.equal(outcome.ok, false);
    if (!outcome.ok) assert.deepEqual([outcome.error.code, outcome.error.userAction], ["forbidden", "ask somebody"]);
  });

  const attacks: readonly (readonly [title: string, frame: unknown])[] = [
    ["walks to a constructor", { id: "1", type: "CONSTRUCT", path: ["start", "constructor"], argumentList: [] }],
    ["applies a path of two", { id: "1", type: "APPLY", path: ["start", "call"], argumentList: [] }],
    ["reads a property", { id: "1", type: "GET", path: ["start"] }],
    ["sets a prototype", { id: "1", type: "SET", path: ["__proto__"], value: { type: "RAW", value: {} } }],
    ["applies an unknown method", { id: "1", type: "APPLY", path: ["toString"], argumentList: [] }],
    [
      "names an unknown transfer handler",
      { id: "1", type: "APPLY", path: ["start"], argumentList: [{ type: "HANDLER", name: "x" }] },
    ],
    ["releases the endpoint", { id: "1", type: "RELEASE" }],
    ["is no object", "start"],
  ];
  for (const [title, frame] of attacks) {
    it(`refuses a frame that ${title}`, async () => {
      using fixture = controlFixture();
      const answers: { readonly id: string }[] = [];
      fixture.port.on("message", (answer: { readonly id: string }) => answers.push(answer));
      fixture.port.postMessage(frame);
      assert.match(await fixture.refused, /no call of a known method/);
      // A known call after it: had the frame been answered, its answer would have come first.
      const answered = once(fixture.port, "message");
      fixture.port.postMessage({ id: "2", type: "APPLY", path: ["probe"], argumentList: [] });
      await answered;
      assert.deepEqual(
        answers.map(({ id }) => id),
        ["2"],
      );
    });
  }
});
