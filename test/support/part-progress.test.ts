import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PartProgress } from "../../src/support/part-progress.ts";

describe("PartProgress", () => {
  it("goes on where a send stopped, and forgets one that is done", async () => {
    const progress = new PartProgress();
    const shown: string[] = [];
    let isBroken = true;
    const step = (name: string) => async (): Promise<string> => {
      if (name === "b" && isBroken) throw new Error("broken");
      shown.push(name);
      return name;
    };
    const steps = ["a", "b", "c"].map((name) => step(name));
    await assert.rejects(progress.run("k", steps));
    isBroken = false;
    assert.equal(await progress.run("k", steps), "a");
    assert.deepEqual(shown, ["a", "b", "c"]);
    assert.equal(await progress.run("k", steps.slice(0, 1)), "a");
    assert.deepEqual(shown, ["a", "b", "c", "a"]);
  });
});
