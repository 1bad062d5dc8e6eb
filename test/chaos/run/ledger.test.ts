import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { judge, type Heard, type Ledger } from "./ledger.ts";
import type { Sent } from "./send-ledger.ts";

const heard = (text: string, redelivered = false, life = "first"): Heard => ({ text, attempt: 1, redelivered, life });
const sent = (text: string, state: Sent["state"], code: string | null = null): Sent => ({
  platform: "slack",
  text,
  state,
  conversation: "general",
  code,
});
const shown = (...texts: readonly string[]): Ledger["shown"] => texts.map((text) => ({ platform: "slack", text }));
const said = (text: string, isPromised: boolean): Ledger["said"][number] => ({ platform: "slack", text, isPromised });

const nothing: Ledger = {
  said: [],
  heard: [],
  checkpoints: [],
  unacked: [],
  accepted: [],
  answered: [],
  sent: [],
  shown: [],
  excuses: { slack: { cuts: 3, sendFaultsMet: 0, isRefused: true } },
};

function violationsOf(parts: Partial<Ledger>): readonly string[] {
  return judge({ ...nothing, ...parts }).violations;
}

describe("judge()", () => {
  it("has nothing against a run in which all was heard and shown once", () => {
    const ledger = {
      said: [said("slack-1", true), said("slack-2", true)],
      heard: [heard("slack-1"), heard("slack-2")],
      checkpoints: [{ acked: new Set(["slack-1"]), calls: 1 }],
      accepted: shown("out-1"),
      answered: shown("re:slack-1"),
      sent: [sent("out-1", "confirmed"), sent("re:slack-1", "confirmed"), sent("re:slack-2", "mailed")],
      shown: shown("out-1", "re:slack-1", "re:slack-2"),
    };
    assert.deepEqual(violationsOf(ledger), []);
  });

  it("misses what was promised and never heard, and nothing that was not promised", () => {
    const ledger = { said: [said("slack-1", true), said("slack-2", false)] };
    assert.deepEqual(violationsOf(ledger), ["lost: slack-1, which slack had handed over, was never heard"]);
  });

  it("finds what was heard again after its ack was on disk, marked or not", () => {
    const ledger = {
      heard: [heard("slack-1"), heard("slack-2"), heard("slack-1", true, "second")],
      checkpoints: [
        { acked: new Set<string>(), calls: 0 },
        { acked: new Set(["slack-1"]), calls: 2 },
      ],
    };
    assert.deepEqual(violationsOf(ledger), ["repeated: slack-1 was heard again after its ack was on disk"]);
  });

  it("lets what was under lease come again, if it says so", () => {
    assert.deepEqual(violationsOf({ heard: [heard("slack-1"), heard("slack-1", true, "second")] }), []);
    assert.deepEqual(violationsOf({ heard: [heard("slack-1"), heard("slack-1", false, "second")] }), [
      "unmarked: slack-1 was heard again and did not say so",
    ]);
  });

  it("finds what came again to a handler that had not died in between", () => {
    const calls = [heard("slack-1"), heard("slack-2"), heard("slack-1", true)];
    assert.deepEqual(violationsOf({ heard: calls }), ["repeated: slack-1 was heard again though nothing had died"]);
  });

  it("finds a handler that is still called once it has a successor", () => {
    const calls = [heard("slack-1"), heard("slack-2", false, "second"), heard("slack-3")];
    assert.deepEqual(violationsOf({ heard: calls }), ["undead: slack-3 was heard by a handler that had a successor"]);
  });

  it("misses what was taken to be sent and is in no journal, and a reply whose message's ack is there", () => {
    const ledger = {
      accepted: shown("out-1", "out-2"),
      answered: shown("re:slack-1", "re:slack-2"),
      sent: [
        sent("out-1", "unknown", "timeout"),
        sent("re:slack-1", "unknown", "timeout"),
        { ...sent("out-2", "unknown", "timeout"), platform: "webhook" },
      ],
      excuses: Object.fromEntries(
        ["slack", "webhook"].map((key) => [key, { cuts: 2, sendFaultsMet: 0, isRefused: false }]),
      ),
    };
    assert.deepEqual(violationsOf(ledger), [
      "vanished: out-2 for slack was taken and is not in the journal",
      "vanished: re:slack-2 for slack is not in the journal, its message's ack is",
    ]);
  });

  it("finds what was heard and was never acked", () => {
    assert.deepEqual(violationsOf({ unacked: ["slack-1"] }), [
      "unsettled: slack-1 was heard, and no ack of it is on disk at the end",
    ]);
  });

  it("finds what is said to be sent and is not there", () => {
    assert.deepEqual(violationsOf({ sent: [sent("out-1", "confirmed"), sent("out-2", "mailed")] }), [
      "lost: out-1 is confirmed and slack never showed it",
      "lost: out-2 is mailed and slack never showed it",
    ]);
  });

  it("finds what is there twice, unless it is said to be unknown", () => {
    const ledger = {
      sent: [sent("out-1", "confirmed"), sent("out-2", "unknown", "timeout")],
      shown: shown("out-1", "out-1", "out-2", "out-2"),
    };
    assert.deepEqual(violationsOf(ledger), ["doubled: out-1 is confirmed and slack shows it 2 times"]);
  });

  it("finds what is still open, what is there though it failed, and what nobody sent", () => {
    const ledger = {
      sent: [sent("out-1", "queued"), sent("out-2", "attempted"), sent("out-3", "failed", "unauthorized")],
      shown: shown("out-3", "out-4"),
    };
    assert.deepEqual(violationsOf(ledger), [
      "unsent: out-1 is still queued at the end",
      "unsent: out-2 is still attempted at the end",
      "denied: out-3 has failed and slack shows it",
      "from nowhere: slack shows out-4, which nobody sent",
    ]);
  });

  it("lets a send fail only for credentials that the run had refused", () => {
    const failed = [sent("out-1", "failed", "unauthorized")];
    assert.deepEqual(violationsOf({ sent: failed }), []);
    assert.deepEqual(
      violationsOf({ sent: failed, excuses: { slack: { cuts: 3, sendFaultsMet: 3, isRefused: false } } }),
      ["given up: out-1 has failed with unauthorized, which nothing in the run made slack say for good"],
    );
    assert.deepEqual(violationsOf({ sent: [sent("out-1", "failed", "internal")] }), [
      "given up: out-1 has failed with internal, which nothing in the run made slack say for good",
    ]);
  });

  it("lets no more be unknown than was cut off in each conversation or met by the service", () => {
    const unknown = [1, 2, 3].map((number) => sent(`out-${number}`, "unknown", "timeout"));
    const excused = (cuts: number, sendFaultsMet: number): Partial<Ledger> => ({
      sent: unknown,
      excuses: { slack: { cuts, sendFaultsMet, isRefused: false } },
    });
    assert.deepEqual(violationsOf(excused(1, 2)), []);
    assert.deepEqual(violationsOf(excused(1, 1)), [
      "in doubt: 3 sends of slack are unknown, the faults cut off 2 at most",
    ]);
    assert.deepEqual(
      violationsOf({ ...excused(1, 1), sent: unknown.map((each, index) => ({ ...each, conversation: `${index}` })) }),
      [],
    );
    assert.deepEqual(violationsOf({ sent: unknown, excuses: {} }), [
      "in doubt: 3 sends of slack are unknown, the faults cut off 0 at most",
    ]);
  });

  it("lets a send be unknown only for what leaves it in doubt", () => {
    assert.deepEqual(violationsOf({ sent: [sent("out-1", "unknown", "message_rejected")] }), [
      "in doubt: out-1 is unknown because of message_rejected",
    ]);
  });

  it("keeps the platforms apart", () => {
    const ledger = { sent: [sent("out-1", "confirmed")], shown: [{ platform: "discord", text: "out-1" }] };
    assert.deepEqual(violationsOf(ledger), [
      "lost: out-1 is confirmed and slack never showed it",
      "from nowhere: discord shows out-1, which nobody sent",
    ]);
  });

  it("counts by platform", () => {
    const { counts } = judge({
      ...nothing,
      said: [said("slack-1", true), said("slack-2", false)],
      heard: [heard("slack-1"), heard("slack-1", true, "second")],
      sent: [sent("re:slack-1", "unknown", "timeout"), sent("out-1", "failed", "unauthorized")],
      shown: shown("re:slack-1"),
    });
    assert.deepEqual(counts, {
      slack: {
        said: 2,
        promised: 1,
        heard: 1,
        heardAgain: 1,
        sent: 2,
        shown: 1,
        unknown: 1,
        mostUnknown: 3,
        failed: 1,
      },
    });
  });
});
