/** The long tests of the walls: whole by `npm run test:walls`, a sample of each beside the other tests. */

/** Whether all of them are wanted. */
export const areAllWanted = process.env["BULKHEAD_WALLS"] === "full";

/** All of `whole`, or only what of it is in the `sample`. */
export function wanted<Item>(whole: readonly Item[], sample: readonly Item[]): readonly Item[] {
  return areAllWanted ? whole : whole.filter((item) => sample.includes(item));
}
