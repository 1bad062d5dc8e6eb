/** Shared hosts that nobody will need again. */
import type { StartedHost } from "./start-host.ts";

/**
 * Those that stand empty while a newer one may read more. What an adapter's module needs is granted when its host starts: with
 * each new file beside a config, an adapter that comes back needs a newer host, and the older ones must not pile up.
 * `hosts`: oldest first.
 */
export function supersededHosts(hosts: Iterable<StartedHost>): readonly StartedHost[] {
  const live = [...hosts].filter(({ connection, isExpectedToEnd }) => !isExpectedToEnd && !connection.isGone);
  return live.filter(
    ({ connection, readable }, index) =>
      connection.generations.length === 0 &&
      readable !== null &&
      live.slice(index + 1).some((newer) => newer.readable !== null && !newer.readable.isSubsetOf(readable)),
  );
}
