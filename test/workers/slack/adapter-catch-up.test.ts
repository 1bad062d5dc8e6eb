import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { GatewayError } from "../../../src/contract/errors.ts";
import { aliceUser } from "../../emulators/slack/workspace.ts";
import { startSlack, type SlackBench } from "./slack-bench.ts";

const general = "C0GENERAL";

/** Said where no event tells of it: Slack gave up trying. */
function sayUnheard({ slack }: SlackBench, channel: string, text: string, threadTs?: string): string {
  const thread = threadTs === undefined ? {} : { thread_ts: threadTs };
  return slack.workspace.add(channel, { text, user: aliceUser, ...thread }).ts;
}

describe("slack adapter, catching up", () => {
  it("fetches what was said between two lives, in channels and threads, oldest first and once", async () => {
    await using running = await startSlack();
    const { bench } = running;
    const root = (await bench.hear("heard")).id;
    await bench.stop();
    sayUnheard(running, general, "missed one");
    sayUnheard(running, general, "missed two");
    sayUnheard(running, "C0OTHER", "missed elsewhere");
    sayUnheard(running, general, "missed reply", root);
    await bench.start();
    await bench.ledger.accepted.count(5, "everything that was missed");
    await bench.ledger.log.first(({ event }) => event === "slack-caught-up", "the end of catching up");
    assert.deepEqual(bench.ledger.texts("missed").toSorted(), [
      "missed elsewhere",
      "missed one",
      "missed reply",
      "missed two",
    ]);
    const texts = bench.ledger.texts();
    assert.ok(texts.indexOf("missed one") < texts.indexOf("missed two"));
    assert.equal(bench.ledger.gapSeconds, 0);
  });

  it("fetches what was said while its connection was away", async () => {
    await using running = await startSlack();
    const { slack, bench } = running;
    await bench.hear("heard");
    slack.dropConnections();
    sayUnheard(running, general, "missed");
    await bench.ledger.acceptedText("missed");
    assert.equal(bench.generation, 1);
  });

  it("does not go beyond a gap that it could not close: the next life does", async () => {
    await using running = await startSlack();
    const { slack, bench } = running;
    await bench.hear("heard");
    await bench.stop();
    sayUnheard(running, general, "missed");
    slack.setFault("receive", { kind: "hang" });
    await bench.start();
    await slack.faultMet("receive", 1);
    await bench.hear("live");
    await bench.stop();
    slack.liftFault("receive");
    assert.deepEqual(bench.ledger.texts(), ["heard", "live"]);
    await bench.start();
    await bench.ledger.acceptedText("missed");
  });

  it("remembers as unheard what could not be stored, whatever is heard after it", async () => {
    await using running = await startSlack();
    const { slack, bench } = running;
    const heard = await bench.hear("heard");
    bench.ledger.refuse(new GatewayError("queue_full", "full"));
    const refused = slack.tell(general, { text: "refused", user: aliceUser });
    await bench.ledger.log.first(({ event }) => event === "slack-event-not-accepted", "the refusal");
    bench.ledger.release();
    await bench.hear("later");
    await bench.stop();
    const { channels } = bench.ledger.resumeState as { readonly channels: Readonly<Record<string, string>> };
    assert.equal(channels[general], heard.id, `it would go on after ${refused}`);
    await bench.start();
    await bench.ledger.acceptedText("refused");
  });

  it("remembers as unheard what came when too much waited already", async () => {
    await using running = await startSlack();
    const { slack, bench } = running;
    await bench.hear("heard");
    bench.ledger.hold();
    for (let index = 0; index < 2_000; index += 1) slack.tell(general, { text: `waits ${index}`, user: aliceUser });
    const last = slack.tell(general, { text: "one too many", user: aliceUser });
    await bench.ledger.log.first(({ fields }) => fields["kind"] === "over capacity", "one that is left");
    bench.ledger.release();
    await bench.ledger.accepted.count(2_001, "all others");
    await bench.hear("later");
    await bench.stop();
    const { channels } = bench.ledger.resumeState as { readonly channels: Readonly<Record<string, string>> };
    assert.ok(
      Number(channels[general]) < Number(last),
      `it would go on after ${channels[general]}, and ${last} is lost`,
    );
  });

  it("counts the gap where a history may not be read", async () => {
    await using running = await startSlack();
    const { slack, bench } = running;
    await bench.hear("heard");
    await bench.stop();
    slack.scopes.delete("channels:history");
    await bench.start();
    await bench.ledger.log.first(({ event }) => event === "slack-caught-up", "the end of catching up");
    assert.ok(bench.ledger.gapSeconds > 0);
  });

  it("counts the gap and reads nothing where catch_up is off", async () => {
    await using running = await startSlack("socket", { settings: { catchUp: false } });
    const { slack, bench } = running;
    await bench.hear("heard");
    await bench.stop();
    sayUnheard(running, general, "missed");
    await bench.start();
    await bench.hear("live");
    assert.deepEqual(bench.ledger.texts(), ["heard", "live"]);
    assert.ok(bench.ledger.gapSeconds > 0);
    assert.ok(!slack.service.calls.items.some(({ method }) => method === "conversations.history"));
  });
});
