import { describe, it } from "node:test";
import assert from "node:assert/strict";
import { formatMessage, tail } from "../../src/cli/tail.ts";
import { AdminClient, NotRunningError } from "../../src/admin-client.ts";
import type { CommandContext } from "../../src/cli/context.ts";
import { CliBench } from "../support/cli-bench.ts";

function contextOf(
  bench: CliBench,
  options: { readonly json: boolean; readonly print: (line: string) => void },
): CommandContext {
  return {
    json: options.json,
    source: { kind: "embedded", baseDir: "/" },
    print: options.print,
    complain: () => {},
    load: async () => bench.loaded,
    planFromNothing: () => [],
    connect: async () =>
      new AdminClient({ listen: { kind: "tcp", host: "127.0.0.1", port: bench.port }, token: bench.token }),
  };
}

describe("tail()", () => {
  it("prints messages only, and exits 0 when it is interrupted", async () => {
    await using bench = await CliBench.start();
    const interrupted = new AbortController();
    const lines: string[] = [];
    const context = contextOf(bench, {
      json: true,
      print: (line) => {
        lines.push(line);
        interrupted.abort();
      },
    });
    const ended = tail(context, interrupted.signal);
    await bench.control.subscribed.promise;
    bench.control.ring.publish("state", { key: "webhook", state: "running" });
    bench.control.ring.publish("message", { key: "webhook", conversation: "room", text: "hello" });
    assert.equal(await ended, 0);
    assert.deepEqual(JSON.parse(lines[0] ?? ""), { key: "webhook", conversation: "room", text: "hello" });
  });

  it("says that the gateway is gone when the stream ends", async () => {
    const bench = await CliBench.start();
    const context = contextOf(bench, { json: false, print: () => {} });
    const ended = tail(context, new AbortController().signal);
    ended.catch(() => {});
    await bench.control.subscribed.promise;
    await bench[Symbol.asyncDispose]();
    await assert.rejects(ended, NotRunningError);
  });
});

describe("formatMessage()", () => {
  it("names the place and the person, and shows the rest as JSON", () => {
    const sender = { id: "u1", name: "Ann", isBot: false };
    assert.equal(
      formatMessage({ key: "webhook", conversation: "room", sender, text: "hello", kind: "text" }),
      'webhook/room Ann: hello {"kind":"text"}',
    );
    assert.equal(formatMessage({ key: "webhook", id: "m1" }), 'webhook {"id":"m1"}');
  });

  it("lets no text steer the terminal", () => {
    assert.equal(formatMessage({ key: "webhook", text: "a\u001b[2Jb\nc\u202ed" }), "webhook a [2Jb c d");
  });
});
