import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { CliBench } from "../support/cli-bench.ts";
import { config } from "../support/config-fixture.ts";
import { adapterStatus, gatewayStatus } from "../support/fake-control.ts";
import { freePort } from "../support/gateway-fixture.ts";

let directory = "";

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "bulkhead-doctor-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** A valid config whose state directory is to be made yet. */
function validConfig(port: number) {
  const base = config();
  const gateway = { ...base.gateway, stateDir: join(directory, "deep", "data") };
  const journal = { ...base.journal, maxBytes: 65_536 };
  return config({ gateway, journal, admin: { listen: { kind: "tcp", host: "127.0.0.1", port } } });
}

describe("doctor", () => {
  it("finds nothing wrong where a gateway may be started", async () => {
    await using bench = await CliBench.start();
    bench.isRunning = false;
    const port = await freePort();
    bench.loaded = { ok: true, config: validConfig(port) };
    const { exitCode, out } = await bench.run("doctor");
    assert.equal(exitCode, 0, out);
    assert.match(out, /^ok {7}node: v\d/mu);
    assert.match(out, /^ok {7}state directory: .*\/deep\/data$/mu);
    assert.match(out, /^ok {7}disk: .* free, the journal may take 0\.1 MiB$/mu);
    assert.match(out, new RegExp(`^ok {7}admin port: 127\\.0\\.0\\.1:${port} is free$`, "mu"));
    assert.match(out, /^warning {2}gateway: not running -> bulkhead start$/mu);
  });

  it("names a port that another process has", async () => {
    await using bench = await CliBench.start();
    bench.isRunning = false;
    const port = await freePort();
    await using other = createServer();
    await new Promise<void>((resolve) => other.listen(port, "127.0.0.1", resolve));
    bench.loaded = { ok: true, config: validConfig(port) };
    const { exitCode, out } = await bench.run("doctor");
    assert.equal(exitCode, 1);
    assert.match(out, /^PROBLEM {2}admin port: Cannot listen on .*another process listens there -> /mu);
  });

  it("warns of a disk with less room than the journal may take", async () => {
    await using bench = await CliBench.start();
    bench.isRunning = false;
    const valid = validConfig(0);
    const journal = { ...valid.journal, maxBytes: Number.MAX_SAFE_INTEGER };
    bench.loaded = { ok: true, config: { ...valid, journal } };
    const { exitCode, out } = await bench.run("doctor");
    assert.equal(exitCode, 0);
    assert.match(out, /^warning {2}disk: .* -> Make room/mu);
  });

  it("exits with 2 and every error of the config, and asks the gateway all the same", async () => {
    await using bench = await CliBench.start();
    bench.loaded = { ok: false, errors: [{ path: "admin.listen", message: "found 1, expected an address", line: 4 }] };
    const { exitCode, out } = await bench.run("doctor");
    assert.equal(exitCode, 2);
    assert.match(out, /^PROBLEM {2}config: .*:4: admin\.listen: found 1, expected an address$/mu);
    assert.match(out, /^ok {7}gateway: /mu);
  });

  it("says of a running gateway what does not run, why, and what to do; and whom it keeps alone", async () => {
    await using bench = await CliBench.start();
    const port = await freePort();
    bench.loaded = { ok: true, config: validConfig(port) };
    const slack = {
      state: "needs_attention",
      reason: "bad_credentials",
      message: "the token was refused",
      userAction: "Make a new token",
    } as const;
    const status = gatewayStatus({
      conditions: [{ code: "dead_letters", key: null, message: "3 wait", since: "2026-01-01T00:00:00.000Z" }],
      adapters: [adapterStatus({ key: "slack", ...slack }), adapterStatus({ key: "webhook", state: "paused" })],
      hosts: [
        {
          pid: 77,
          kind: "own",
          rssBytes: 1,
          keys: ["discord"],
          restarts: 0,
          quarantineReason: "2 hosts died under it",
        },
      ],
    });
    bench.control.current = status;
    const { exitCode, out } = await bench.run("doctor");
    assert.equal(exitCode, 1);
    assert.match(
      out,
      /^PROBLEM {2}adapter slack: needs_attention \(bad_credentials\): the token was refused -> Make a new token$/mu,
    );
    assert.match(out, /^PROBLEM {2}dead_letters: 3 wait -> bulkhead dead-letters list$/mu);
    assert.match(out, /^warning {2}adapter webhook: paused by an operator -> bulkhead resume webhook$/mu);
    assert.match(
      out,
      /^warning {2}quarantine: process 77 is kept for discord alone: 2 hosts died under it -> bulkhead restart discord --shared/mu,
    );
    assert.doesNotMatch(out, /admin port/u, "its own gateway listens there");
    const { findings } = JSON.parse((await bench.run("doctor", "--json")).out) as {
      readonly findings: readonly { readonly level: string; readonly subject: string }[];
    };
    assert.ok(findings.some(({ level, subject }) => level === "problem" && subject === "adapter slack"));
  });
});
