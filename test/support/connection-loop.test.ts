import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { GatewayError } from "../../src/contract/errors.ts";
import { ConnectionLoop, reconnectDelay } from "../../src/support/connection-loop.ts";

describe("reconnectDelay()", () => {
  const limited = (delayMs: number): GatewayError =>
    new GatewayError("rate_limited", "wait", { retry: { kind: "after", delayMs } });

  it("is nothing after a healthy connection, then grows, then leaves it to the supervisor", () => {
    const delays = [0, 1, 2, 3, 4, 5].map((failures) => reconnectDelay(failures, null, 1));
    assert.deepEqual(delays, [0, 500, 1_000, 2_000, 4_000, null]);
    assert.equal(reconnectDelay(2, null, 0), 500);
  });

  it("waits as long as the service asks, if that is short", () => {
    assert.equal(reconnectDelay(1, limited(3_000), 0), 3_000);
    assert.equal(reconnectDelay(1, limited(6_000), 0), null);
  });

  it("never tries again what a person must see to", () => {
    assert.equal(reconnectDelay(0, new GatewayError("unauthorized", "no"), 0), null);
  });
});

/** Connections that end when the test says so. */
class Line {
  readonly #ended = Promise.withResolvers<string>();
  readonly closed = this.#ended.promise;

  end(reason: string): void {
    this.#ended.resolve(reason);
  }

  async close(): Promise<void> {
    this.end("closed by us");
  }
}

async function loopFixture(fatal?: (reason: string) => GatewayError | null) {
  const lines: Line[] = [];
  const happened: string[] = [];
  let failure: GatewayError | null = null;
  const options = {
    open: async () => {
      if (failure !== null) throw failure;
      lines.push(new Line());
      happened.push(`open ${lines.length}`);
      return lines.at(-1) as Line;
    },
    signal: new AbortController().signal,
    onLost: (reason: string) => happened.push(`lost: ${reason}`),
    onConnected: (_gapMs: number, reason: string) => {
      happened.push(`connected after ${reason}`);
      waiters.splice(0).forEach((resolve) => resolve());
    },
    ...(fatal === undefined ? {} : { fatal }),
  };
  const waiters: (() => void)[] = [];
  const loop = await ConnectionLoop.start<Line>(options);
  return {
    lines,
    happened,
    loop,
    connectedAgain: () => new Promise<void>((resolve) => waiters.push(resolve)),
    failWith: (error: GatewayError) => {
      failure = error;
    },
  };
}

describe("ConnectionLoop", () => {
  it("opens the next connection when the last is over, and says so", async () => {
    const { loop, lines, happened, connectedAgain } = await loopFixture();
    const again = connectedAgain();
    lines[0]?.end("cut");
    await again;
    assert.deepEqual(happened, ["open 1", "lost: cut", "open 2", "connected after cut"]);
    assert.equal(loop.connection, lines[1]);
    await loop.stop();
    assert.equal(happened.length, 4, "a connection that we closed is not replaced");
  });

  it("ends with what nobody can help", async () => {
    const { loop, lines, happened } = await loopFixture((reason) =>
      reason === "disabled" ? new GatewayError("forbidden", "It was disabled") : null,
    );
    lines[0]?.end("disabled");
    await assert.rejects(loop.closed, { code: "forbidden" });
    assert.deepEqual(happened, ["open 1"]);
  });

  it("ends with why a connection could not be opened, when another try does not help", async () => {
    const { loop, lines, failWith } = await loopFixture();
    failWith(new GatewayError("unauthorized", "No"));
    lines[0]?.end("cut");
    await assert.rejects(loop.closed, { code: "unauthorized" });
  });

  it("stops while it waits for its next try", async () => {
    const { loop, lines, failWith } = await loopFixture();
    const lasting = { retry: { kind: "after", delayMs: 5_000 } } as const;
    failWith(new GatewayError("rate_limited", "Wait", lasting));
    lines[0]?.end("cut");
    await loop.stop();
    await loop.closed;
  });
});
