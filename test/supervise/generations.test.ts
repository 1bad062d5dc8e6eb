import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { GatewayError } from "../../src/contract/errors.ts";
import { Generations } from "../../src/supervise/generations.ts";
import { silentLogger as logger } from "../support/silent-logger.ts";

class Disk {
  upTo = 0;
  isBroken = false;
  load = async (): Promise<number> => this.upTo;
  reserve = async (upTo: number): Promise<void> => {
    if (this.isBroken) throw new GatewayError("journal_unavailable", "disk full");
    this.upTo = upTo;
  };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("Generations", () => {
  it("rises by one, and writes the next block before this one is used up", async () => {
    const store = new Disk();
    const generations = await Generations.start({ store, logger });
    for (let number = 1; number <= 5000; number += 1) {
      assert.equal(generations.next(), number);
      assert.ok(store.upTo >= number, "on disk before it is used");
      if (number % 100 === 0) await turn();
    }
  });

  it("never repeats a number after the coordinator was killed", async () => {
    const store = new Disk();
    const before = await Generations.start({ store, logger });
    const last = [before.next(), before.next(), before.next()].at(-1) ?? 0;
    const after = await Generations.start({ store, logger });
    assert.ok(after.next() > last);
  });

  it("hands out nothing that is not on disk, and goes on once the disk is back", async () => {
    const store = new Disk();
    const generations = await Generations.start({ store, logger });
    store.isBroken = true;
    for (let number = 1; number <= 1000; number += 1) generations.next();
    await turn();
    assert.throws(() => generations.next(), { code: "journal_unavailable" });
    store.isBroken = false;
    await turn();
    assert.throws(() => generations.next(), { code: "journal_unavailable" });
    await turn();
    assert.equal(generations.next(), 1001);
  });

  it("does not start without its first block", async () => {
    const store = new Disk();
    store.isBroken = true;
    await assert.rejects(Generations.start({ store, logger }), { code: "journal_unavailable" });
  });
});
