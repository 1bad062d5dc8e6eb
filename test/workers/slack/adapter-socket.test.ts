import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { GatewayError } from "../../../src/contract/errors.ts";
import { AdapterBench } from "../../conformance/adapter-bench.ts";
import { FakeClock } from "../../conformance/fake-clock.ts";
import { turns, within } from "../../conformance/within.ts";
import { SlackPlatform } from "../../emulators/slack/platform.ts";
import type { HelloBehaviour } from "../../emulators/slack/socket-mode.ts";
import { startSlack } from "./slack-bench.ts";

async function startFailure(slack: SlackPlatform): Promise<GatewayError> {
  await using clock = new FakeClock();
  await using bench = new AdapterBench(slack);
  const outcome = await clock.outcomeOf(bench.start(), 20, "the end of start");
  assert.equal(outcome.kind, "rejected");
  await bench[Symbol.asyncDispose]();
  slack.socket.drop();
  await within(slack.allSocketsClosed(), "the end of every socket", () => slack.openSockets);
  return GatewayError.from(outcome.kind === "rejected" ? outcome.reason : null);
}

/** How the running life ended. */
async function closing(bench: AdapterBench): Promise<GatewayError> {
  await bench.ledger.signs.first(({ kind }) => kind === "closed", "the end of the connection");
  return GatewayError.from(bench.ledger.errors.at(-1));
}

describe("slack adapter, its connection", () => {
  for (const behaviour of ["no_hello", "no_upgrade"] satisfies HelloBehaviour[])
    it(`gives up a start that gets ${behaviour === "no_hello" ? "no HELLO" : "no answer to its upgrade"}`, async () => {
      await using slack = await SlackPlatform.start("socket");
      slack.socket.behaviour = behaviour;
      const error = await startFailure(slack);
      assert.equal(error.code, "timeout");
    });

  it("obeys a request for a new connection: what is under way is acknowledged first, and there are never two", async () => {
    await using running = await startSlack();
    const { slack, bench } = running;
    bench.ledger.hold();
    const ts = await slack.say({ text: "under way" });
    await bench.ledger.emitted.count(1, "an emission");
    slack.socket.refresh();
    // The request is there, and waits for what is under way.
    await turns(100);
    bench.ledger.release();
    await within(slack.acknowledged(ts), "the acknowledgement of what was under way");
    await bench.ledger.signs.first(({ kind }) => kind === "connected", "the new connection");
    await bench.hear("on the new connection");
    const [delivery] = slack.socket.deliveries;
    assert.equal(delivery?.attempts, 1, "it was acknowledged on the connection that it came by");
    assert.deepEqual([slack.socket.total, slack.socket.mostLive, slack.socket.live], [2, 1, 1]);
    assert.equal(bench.generation, 1);
    assert.deepEqual(slack.socket.complaints, []);
    assert.equal(bench.ledger.gapSeconds, 0);
  });

  it("does not wait for a peer that never closes its side", async () => {
    await using running = await startSlack();
    const { slack, bench } = running;
    slack.socket.refresh();
    slack.socket.freeze();
    await bench.ledger.signs.first(({ kind }) => kind === "connected", "the new connection");
    await bench.hear("heard again");
    assert.equal(slack.socket.total, 2);
  });

  it("stops within two seconds whatever the peer does", async () => {
    await using clock = new FakeClock();
    await using running = await startSlack();
    running.slack.socket.freeze();
    const outcome = await clock.outcomeOf(running.bench.stop(), 2, "the end of stop");
    assert.equal(outcome.kind, "resolved");
    await within(running.slack.allSocketsClosed(), "the end of every socket", () => running.slack.openSockets);
  });

  it("lives through what the library cannot read", async () => {
    await using running = await startSlack();
    const { slack, bench } = running;
    await slack.sayNonsense();
    await bench.hear("still there");
    assert.equal(slack.socket.mostLive, 1);
    assert.equal(bench.ledger.signs.items.filter(({ kind }) => kind === "reconnecting").length, 0);
    const ignored = bench.ledger.log.items.filter(({ event }) => event === "slack-event-ignored");
    const kinds = ignored.map(({ fields }) => fields["kind"]);
    assert.ok(kinds.includes("malformed frame") && kinds.includes("no_such_event_type"), kinds.join(", "));
    assert.equal(new Set(kinds).size, kinds.length, "a kind was named twice within a minute");
  });

  it("gets through errors while it reconnects, in the same life", async () => {
    await using running = await startSlack();
    const { slack, bench } = running;
    slack.setFault("connect", { kind: "server_error", status: 500, times: 2 });
    slack.dropConnections();
    await bench.hear("back again");
    assert.equal(bench.generation, 1);
    assert.equal(slack.faultsMet("connect"), 2);
  });

  it("hands over to the supervisor when Slack asks to wait for long", async () => {
    await using running = await startSlack();
    const { slack, bench } = running;
    slack.setFault("connect", { kind: "rate_limit", retryAfterSeconds: 60, times: 10 });
    slack.dropConnections();
    const error = await closing(bench);
    assert.equal(error.code, "rate_limited");
    assert.deepEqual(error.retry, { kind: "after", delayMs: 60_000 });
    assert.equal(slack.faultsMet("connect"), 1);
  });

  it("says what to do when Socket Mode is disabled", async () => {
    await using running = await startSlack();
    running.slack.socket.refresh("link_disabled");
    const error = await closing(running.bench);
    assert.equal(error.code, "forbidden");
    assert.match(error.userAction ?? "", /Enable Socket Mode/u);
  });

  it("ends for good when the app is uninstalled", async () => {
    await using running = await startSlack();
    running.slack.tellEvent("gone", { type: "app_uninstalled" });
    assert.equal((await closing(running.bench)).code, "unauthorized");
  });

  it("names the scope that its app token lacks", async () => {
    await using slack = await SlackPlatform.start("socket");
    slack.scopes.delete("connections:write");
    const error = await startFailure(slack);
    assert.equal(error.code, "forbidden");
    assert.match(`${error.message} ${error.userAction}`, /connections:write/u);
  });

  it("names the scope that its bot token lacks", async () => {
    await using slack = await SlackPlatform.start("socket");
    slack.scopes.delete("chat:write");
    const error = await startFailure(slack);
    assert.deepEqual([error.code, error.retry.kind], ["forbidden", "never"]);
    assert.match(error.userAction ?? "", /chat:write/u);
  });

  it("refuses a probe without a connection or with a token that is no longer taken", async () => {
    await using running = await startSlack();
    const { slack, bench } = running;
    await bench.running.probe?.();
    slack.setFault("connect", { kind: "bad_credentials" });
    await assert.rejects(async () => bench.running.probe?.(), { code: "unauthorized" });
  });
});
