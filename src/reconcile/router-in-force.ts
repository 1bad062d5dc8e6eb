/** The router of a config in which some adapters are wrong and run on as they were. */
import type { DesiredState, RouterSpec } from "../contract/spec.ts";

/**
 * `desired`'s router, with the last known authority of every invalid adapter: no list means open to all, so an error in
 * a table must not open the commands of the adapter that runs on.
 */
export function routerInForce(desired: DesiredState, previous: RouterSpec | null): RouterSpec {
  const { router, invalid } = desired;
  if (previous === null || invalid.size === 0) return router;
  const carried = Object.entries(previous.adapterAuthority).filter(
    ([key]) => invalid.has(key) && !Object.hasOwn(router.adapterAuthority, key),
  );
  return { ...router, adapterAuthority: { ...router.adapterAuthority, ...Object.fromEntries(carried) } };
}
