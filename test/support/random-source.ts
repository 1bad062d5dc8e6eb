/** Numbers that are the same for the same seed, on every machine. */

/** Whole numbers from 0 to `below` - 1. */
export type RandomSource = (below: number) => number;

/** A linear congruential generator: good enough to choose moments and victims. */
export function randomSource(seed: number): RandomSource {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** A copy in another order. */
export function shuffled<Item>(items: readonly Item[], random: RandomSource): Item[] {
  const copy = [...items];
  for (let left = copy.length - 1; left > 0; left -= 1) {
    const other = random(left + 1);
    // Both indexes are within the array.
    [copy[left], copy[other]] = [copy[other] as Item, copy[left] as Item];
  }
  return copy;
}
