import { after, before, describe, it } from "node:test";
import assert from "node:assert/strict";
import { AdminClient } from "../../src/admin-client.ts";
import type { CommandContext } from "../../src/cli/context.ts";
import { send } from "../../src/cli/send.ts";
import type { SendReport } from "../../src/contract/control.ts";
import { CliBench } from "../support/cli-bench.ts";

function report(parts: Partial<SendReport>): SendReport {
  return { id: "s1", state: "queued", receipt: null, error: null, ...parts };
}

const failure = {
  code: "message_rejected",
  message: "too long",
  stack: null,
  retry: { kind: "never" },
  userAction: null,
} as const;

describe("send()", () => {
  let bench: CliBench;
  before(async () => {
    bench = await CliBench.start();
  });
  after(() => bench[Symbol.asyncDispose]());

  it("prints the id, waits for the receipt and exits 0", async () => {
    const confirmed = report({ state: "confirmed", receipt: { platformMessageId: "p7" } });
    bench.control.sendReports = [report({}), report({ state: "attempted" }), confirmed];
    assert.deepEqual(await bench.run("send", "webhook/room", "hi there"), {
      exitCode: 0,
      out: "s1\nconfirmed: p7\n",
      err: "",
    });
    assert.deepEqual(bench.control.calls[0], [
      "send",
      { target: "webhook/room", response: { kind: "text", text: "hi there" }, idempotencyKey: null },
    ]);
  });

  for (const state of ["failed", "unknown"] as const)
    it(`exits 1 when it is ${state}`, async () => {
      bench.control.sendReports = [report({ state, error: failure })];
      assert.deepEqual(await bench.run("send", "webhook/room", "hi"), {
        exitCode: 1,
        out: `s1\n${state}: too long\n`,
        err: "",
      });
    });

  it("does not wait with --no-wait, and passes the idempotency key on", async () => {
    bench.control.calls.length = 0;
    const run = await bench.run("send", "webhook/room", "hi", "--no-wait", "--idempotency-key", "k");
    assert.deepEqual(run, { exitCode: 0, out: "s1\n", err: "" });
    assert.deepEqual(bench.control.calls, [
      ["send", { target: "webhook/room", response: { kind: "text", text: "hi" }, idempotencyKey: "k" }],
    ]);
  });

  it("prints one JSON object with --json", async () => {
    bench.control.sendReports = [report({ state: "confirmed" })];
    assert.deepEqual(JSON.parse((await bench.run("send", "a/b", "x", "--json")).out), report({ state: "confirmed" }));
    assert.deepEqual(JSON.parse((await bench.run("send", "a/b", "x", "--json", "--no-wait")).out), {
      id: "s1",
      state: "queued",
    });
  });

  it("exits 1 when it is still open at its deadline", async () => {
    bench.control.sendReports = [report({ state: "attempted" })];
    const context: CommandContext = {
      json: false,
      source: { kind: "embedded", baseDir: "/" },
      print: () => {},
      complain: () => {},
      load: async () => bench.loaded,
      planFromNothing: () => [],
      connect: async () =>
        new AdminClient({ listen: { kind: "tcp", host: "127.0.0.1", port: bench.port }, token: bench.token }),
    };
    await assert.rejects(send(context, { target: "a/b", text: "x", idempotencyKey: null, waitMs: 1 }), {
      exitCode: 1,
      message: "Cannot wait longer for s1: it is still attempted",
    });
  });
});
