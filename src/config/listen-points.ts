/** Two adapters cannot listen in one place: the second is told who holds it. */
import { isIPv4 } from "node:net";
import { joinPath, type Issue } from "./issue.ts";
import type { ListenPoint } from "./platform-table.ts";

/** One who wants to listen: a runtime key at its config path, or the admin API at `admin.listen`. */
export type Listener = ListenPoint & { readonly name: string; readonly path: string };

/** The issue of each listener, by name, whose place an earlier one holds. Port 0 is never held. */
export function findListenConflicts(listeners: readonly Listener[]): ReadonlyMap<string, Issue> {
  const held: Listener[] = [];
  const conflicts = new Map<string, Issue>();
  for (const listener of listeners) {
    const holder = held.find((other) => other.port === listener.port && overlaps(other.host, listener.host));
    if (listener.port === 0) continue;
    if (holder === undefined) held.push(listener);
    else {
      const message = `found ${listener.port}, which ${holder.name} listens on at ${holder.host}, expected a port of its own`;
      conflicts.set(listener.name, { path: joinPath(listener.path, "port"), message });
    }
  }
  return conflicts;
}

function overlaps(left: string, right: string): boolean {
  const [one, other] = [canonical(left), canonical(right)];
  // `::` takes IPv4 connections too.
  if (one === other || one === "::" || other === "::") return true;
  if (one === "0.0.0.0") return isIPv4(other);
  return other === "0.0.0.0" && isIPv4(one);
}

function canonical(host: string): string {
  return host.toLowerCase() === "localhost" ? "127.0.0.1" : host.toLowerCase();
}
