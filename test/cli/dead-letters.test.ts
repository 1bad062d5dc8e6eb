import { after, before, beforeEach, describe, it } from "node:test";
import assert from "node:assert/strict";
import { CliBench } from "../support/cli-bench.ts";
import { deadLetterRow } from "../support/fake-control.ts";

describe("dead-letters", () => {
  let bench: CliBench;
  before(async () => {
    bench = await CliBench.start();
  });
  after(() => bench[Symbol.asyncDispose]());
  beforeEach(() => {
    bench.control.calls.length = 0;
    bench.control.deadLetterRows = [deadLetterRow({ seq: 1, id: "m1" }), deadLetterRow({ seq: 2, id: "m2" })];
  });

  it("lists them", async () => {
    const { exitCode, out } = await bench.run("dead-letters", "list");
    assert.equal(exitCode, 0);
    assert.match(out, /^ID {2}KEY {6}CONVERSATION {2}CONSUMER {2}ATTEMPTS {2}DEAD FOR {2}REASON\nm1 {2}webhook/);
    const json = JSON.parse((await bench.run("dead-letters", "list", "--json")).out) as {
      deadLetters: { id: string }[];
    };
    assert.deepEqual(
      json.deadLetters.map(({ id }) => id),
      ["m1", "m2"],
    );
  });

  it("lists more than a page", async () => {
    bench.control.deadLetterRows = Array.from({ length: 1500 }, (_, index) =>
      deadLetterRow({ seq: index + 1, id: `m${index}` }),
    );
    const json = JSON.parse((await bench.run("dead-letters", "list", "--json")).out) as { deadLetters: unknown[] };
    assert.equal(json.deadLetters.length, 1500);
  });

  it("says when there are none", async () => {
    bench.control.deadLetterRows = [];
    assert.equal((await bench.run("dead-letters", "list")).out, "no dead letters\n");
  });

  it("shows one with its message", async () => {
    const letter = JSON.parse((await bench.run("dead-letters", "show", "m1")).out) as { message: { text: string } };
    assert.equal(letter.message.text, "hello");
    assert.equal((await bench.run("dead-letters", "show", "m9")).exitCode, 1);
  });

  it("retries one or all, and drops one", async () => {
    assert.equal((await bench.run("dead-letters", "retry", "m2")).out, "retried 1\n");
    assert.equal((await bench.run("dead-letters", "retry", "--all")).out, "retried 2\n");
    assert.equal((await bench.run("dead-letters", "drop", "m1")).out, "dropped m1\n");
    assert.deepEqual(
      bench.control.calls.filter(([name]) => name !== "deadLetters"),
      [
        ["retryDeadLetter", "m2"],
        ["retryDeadLetter", "m1"],
        ["retryDeadLetter", "m2"],
        ["dropDeadLetter", "m1"],
      ],
    );
  });
});
