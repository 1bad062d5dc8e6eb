import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Turns } from "../../src/support/turns.ts";
import { turns as pass } from "./turns.ts";

/** Work that ends when the test says so. */
function held(name: string, begun: string[]) {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const work = (): Promise<string> => {
    begun.push(name);
    return promise;
  };
  return { work, resolve: () => resolve(name), reject };
}

describe("Turns", () => {
  it("lets one begin when the one before has settled, however it ended", async () => {
    const turns = new Turns();
    const begun: string[] = [];
    const [one, two, three] = [held("one", begun), held("two", begun), held("three", begun)];
    const [first, second, third] = [turns.take(one.work), turns.take(two.work), turns.take(three.work)];
    await pass();
    assert.deepEqual(begun, ["one"]);
    one.reject(new Error("broken"));
    await assert.rejects(first, /broken/u);
    await pass();
    assert.deepEqual(begun, ["one", "two"]);
    two.resolve();
    three.resolve();
    assert.deepEqual(await Promise.all([second, third]), ["two", "three"]);
  });

  it("keeps everybody waiting for those before, also behind one who has given up", async () => {
    const turns = new Turns();
    const begun: string[] = [];
    const [one, two, three] = [held("one", begun), held("two", begun), held("three", begun)];
    const ending = new AbortController();
    const first = turns.take(one.work);
    const second = turns.take(two.work, ending.signal);
    const third = turns.take(three.work);
    ending.abort(new Error("given up"));
    await assert.rejects(second, /given up/u);
    await pass();
    assert.deepEqual(begun, ["one"]);
    one.resolve();
    three.resolve();
    assert.deepEqual(await Promise.all([first, third]), ["one", "three"]);
    assert.deepEqual(begun, ["one", "three"]);
  });

  it("rejects at once what is given up already", async () => {
    await assert.rejects(
      new Turns().take(() => assert.fail("it began"), AbortSignal.abort(new Error("given up"))),
      /given up/u,
    );
  });
});
