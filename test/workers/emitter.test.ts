import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MessageChannel, type MessagePort } from "node:worker_threads";
import { GatewayError } from "../../src/contract/errors.ts";
import { decodeFrame, encodeFrame, frameKinds, parseMeta, splitFrames } from "../../src/contract/frame.ts";
import { creditWindow, frameMessageLimit, type AcceptedMeta, type DataMeta } from "../../src/contract/protocol.ts";
import { Emitter } from "../../workers/emitter.ts";
import { ThreadPort } from "../../workers/thread-port.ts";

/** An emitter and the coordinator's end of its port. */
function emitterFixture(): Disposable & {
  readonly emitter: Emitter;
  readonly frames: DataMeta[];
  accept(frame: number, error?: GatewayError): void;
  /** Resolves when that many data frames have come. */
  received(count: number): Promise<void>;
} {
  const { port1, port2 } = new MessageChannel();
  const emitter = new Emitter(new ThreadPort(port2), { key: "acme", platform: "acme" });
  const frames: DataMeta[] = [];
  const waiters: (() => void)[] = [];
  port1.on("message", (buffer: ArrayBuffer) => {
    for (const frame of splitFrames(new Uint8Array(buffer))) frames.push(parseMeta(decodeFrame(frame)) as DataMeta);
    for (const waiter of waiters) waiter();
  });
  const close = (port: MessagePort): void => port.close();
  return {
    emitter,
    frames,
    accept(frame, error) {
      const meta: AcceptedMeta = error === undefined ? { frame } : { frame, error: error.toReport() };
      const { buffer } = encodeFrame(frameKinds.accepted, 1, meta);
      port1.postMessage(buffer, [buffer]);
    },
    received: (count) =>
      new Promise((resolve) => {
        const check = (): void => {
          if (frames.length >= count) resolve();
        };
        waiters.push(check);
        check();
      }),
    [Symbol.dispose]: () => close(port1),
  };
}

const message = (index: number, text = "x") => ({ id: String(index), conversation: "c", sender: { id: "u" }, text });
const messages = (count: number) => Array.from({ length: count }, (_, index) => message(index));

describe("Emitter", () => {
  it("resolves with the ids in order, only when the frame was accepted", async () => {
    using fixture = emitterFixture();
    let isResolved = false;
    const emitted = fixture.emitter.emit(messages(3)).then((ids) => {
      isResolved = true;
      return ids;
    });
    await fixture.received(1);
    assert.equal(isResolved, false);
    fixture.accept(1);
    assert.deepEqual(
      await emitted,
      fixture.frames[0]?.headers.map(({ id }) => id),
    );
  });

  it("gathers what one turn of the loop emits into one frame", async () => {
    using fixture = emitterFixture();
    for (let index = 0; index < 50; index += 1) fixture.emitter.emit(message(index)).catch(() => {});
    await fixture.received(1);
    assert.equal(fixture.frames[0]?.headers.length, 50);
  });

  it("never has more unaccepted messages than its credit", async () => {
    using fixture = emitterFixture();
    const all = fixture.emitter.emit(messages(creditWindow.messages * 3));
    let accepted = 0;
    for (let frame = 1; accepted < creditWindow.messages * 3; frame += 1) {
      await fixture.received(frame);
      const unaccepted = fixture.frames.reduce((sum, { headers }) => sum + headers.length, 0) - accepted;
      assert.ok(unaccepted <= creditWindow.messages, `${unaccepted} are on their way`);
      assert.ok((fixture.frames[frame - 1]?.headers.length ?? 0) <= frameMessageLimit);
      accepted += fixture.frames[frame - 1]?.headers.length ?? 0;
      fixture.accept(frame);
    }
    assert.equal((await all).length, creditWindow.messages * 3);
  });

  it("never has more unaccepted bytes than its credit, but lets a single large message through", async () => {
    using fixture = emitterFixture();
    const large = "x".repeat(3_000_000);
    const all = fixture.emitter.emit([message(1, large), message(2, large), message(3, large)]);
    await fixture.received(1);
    assert.equal(fixture.frames[0]?.headers.length, 2);
    fixture.accept(1);
    await fixture.received(2);
    fixture.accept(2);
    assert.equal((await all).length, 3);
  });

  it("rejects with what the coordinator said, and keeps its code and retry", async () => {
    using fixture = emitterFixture();
    const emitted = fixture.emitter.emit(message(1));
    await fixture.received(1);
    fixture.accept(1, new GatewayError("queue_full", "full", { retry: { kind: "after", delayMs: 5000 } }));
    await assert.rejects(emitted, { code: "queue_full", retry: { kind: "after", delayMs: 5000 } });
  });

  it("rejects a malformed message at once and sends nothing of it", async () => {
    using fixture = emitterFixture();
    await assert.rejects(fixture.emitter.emit([message(1), message(2, 5 as unknown as string)]), {
      code: "invalid_request",
    });
    assert.deepEqual(fixture.frames, []);
  });

  it("sends a resume state with the messages emitted before it, not earlier", async () => {
    using fixture = emitterFixture();
    fixture.emitter.emit(messages(frameMessageLimit + 1)).catch(() => {});
    const stored = fixture.emitter.storeResume({ offset: 7 });
    await fixture.received(2);
    assert.deepEqual(
      fixture.frames.map(({ resume }) => resume),
      [undefined, { offset: 7 }],
    );
    fixture.accept(1);
    fixture.accept(2);
    await stored;
  });

  it("sends a resume state by itself when nothing was emitted", async () => {
    using fixture = emitterFixture();
    const stored = fixture.emitter.storeResume({ offset: 8 });
    await fixture.received(1);
    assert.deepEqual(fixture.frames[0], { frame: 1, headers: [], resume: { offset: 8 } });
    fixture.accept(1);
    await stored;
  });
});
