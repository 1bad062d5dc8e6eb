import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { top } from "../../src/cli/top.ts";
import { AdminClient, NotRunningError } from "../../src/admin-client.ts";
import { CliBench } from "../support/cli-bench.ts";
import { adapterStatus, gatewayStatus } from "../support/fake-control.ts";

/** Ends at the second table. */
async function twice(options: { readonly json?: boolean; readonly isTerminal?: boolean }): Promise<readonly string[]> {
  await using bench = await CliBench.start();
  const busy = { userSeconds: 9, systemSeconds: 1, percent: 80 };
  bench.control.current = gatewayStatus({
    adapters: [adapterStatus({ key: "webhook" }), adapterStatus({ key: "twitch", cpu: busy })],
  });
  const interrupted = new AbortController();
  const printed: string[] = [];
  const context = {
    json: options.json === true,
    print(text: string) {
      printed.push(text);
      if (printed.length === 2) interrupted.abort();
    },
    connect: async () =>
      new AdminClient({ listen: { kind: "tcp", host: "127.0.0.1", port: bench.port }, token: bench.token }),
  };
  const { isTerminal = false } = options;
  assert.equal(await top(context, { intervalMs: 1, isTerminal, signal: interrupted.signal }), 0);
  return printed;
}

describe("top()", () => {
  it("shows the status again and again, who uses the most CPU first, until it is interrupted", async () => {
    const printed = await twice({});
    assert.equal(printed.length, 2);
    for (const text of printed) assert.ok(text.indexOf("\ntwitch") < text.indexOf("\nwebhook"), text);
    assert.ok(!printed.some((text) => text.includes("\u001B")), "no control characters where nobody looks");
  });

  it("puts each table in the place of the one before on a terminal", async () => {
    for (const text of await twice({ isTerminal: true })) assert.ok(text.startsWith("\u001B[H\u001B[2J"));
  });

  it("prints a line of JSON each time where that is asked for", async () => {
    for (const text of await twice({ json: true, isTerminal: true })) {
      assert.ok(!text.includes("\n"));
      assert.equal((JSON.parse(text) as { pid: number }).pid, 4141);
    }
  });

  it("says that the gateway is gone", async () => {
    const connect = async (): Promise<never> => {
      throw new NotRunningError("gateway not running: no token");
    };
    const options = { intervalMs: 1, isTerminal: false, signal: new AbortController().signal };
    await assert.rejects(top({ json: false, print: () => {}, connect }, options), NotRunningError);
  });
});
