import assert from "node:assert/strict";
import { describe, it, mock } from "node:test";
import { TokenLocks, type Holder } from "../../src/tokens/token-locks.ts";

const [one, two, three] = [1, 2, 3].map((generation): Holder => ({ key: `twitch:${generation}`, generation })) as [
  Holder,
  Holder,
  Holder,
];

function locksFixture() {
  const dead = new Set<Holder>();
  const locks = new TokenLocks((holder) => ![...dead].some(({ key }) => key === holder.key));
  const order: string[] = [];
  const take = async (holder: Holder, credential = "c"): Promise<void> => {
    await locks.acquire(credential, holder, 60_000);
    order.push(holder.key);
  };
  return { dead, locks, order, take };
}

describe("TokenLocks", () => {
  it("lets one after the other through, in the order they came", async () => {
    const { locks, order, take } = locksFixture();
    await take(one);
    const others = [take(two), take(three)];
    assert.deepEqual(order, [one.key]);
    locks.release(one);
    await others[0];
    locks.release(two);
    await others[1];
    assert.deepEqual(order, [one.key, two.key, three.key]);
    assert.equal(locks.heldBy(three), "c");
    locks.release(three);
    assert.equal(locks.heldBy(three), null);
  });

  it("holds up nobody with another credential", async () => {
    const { take, order } = locksFixture();
    await take(one, "c");
    await take(two, "d");
    assert.deepEqual(order, [one.key, two.key]);
  });

  it("takes the lock from a generation that died, and passes over those that died in line", async () => {
    const { dead, locks, take } = locksFixture();
    await take(one);
    const passedOver = take(two);
    const next = take(three);
    dead.add(one).add(two);
    locks.releaseDead();
    await assert.rejects(passedOver, { code: "adapter_unavailable" });
    await next;
    assert.equal(locks.heldBy(three), "c");
  });

  it("does not wait for a dead holder that nobody has told it of", async () => {
    const { dead, take } = locksFixture();
    await take(one);
    dead.add(one);
    await take(two);
  });

  it("gives up a place in line with what is held", async () => {
    const { locks, take } = locksFixture();
    await take(one);
    const given = take(two);
    locks.release(two);
    await assert.rejects(given, { code: "adapter_unavailable" });
    locks.release(one);
    assert.equal(locks.heldBy(two), null);
  });

  it("lets nobody wait for longer than it said", async () => {
    mock.timers.enable({ apis: ["setTimeout"] });
    try {
      const { locks, take } = locksFixture();
      await take(one);
      const late = locks.acquire("c", two, 500);
      late.catch(() => {});
      mock.timers.tick(500);
      await assert.rejects(late, { code: "timeout", message: /twitch:1 still renews it after 500 ms/u });
      locks.release(one);
      assert.equal(locks.heldBy(two), null);
      await take(three);
    } finally {
      mock.timers.reset();
    }
  });

  it("refuses a second lock to one generation, which would wait for itself", async () => {
    const { take } = locksFixture();
    await take(one);
    await assert.rejects(take(one), { code: "conflict" });
    await assert.rejects(take(one, "d"), { code: "conflict" });
  });
});
