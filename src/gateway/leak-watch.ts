/**
 * `restart_on_leaked_thread = "idle"`: a thread of our own process that cannot be ended goes only with the process. At a
 * quiet moment the gateway ends in good order, for whatever keeps it running (pm2, systemd) to start it again.
 */
import type { GatewayStatus } from "../contract/status.ts";
import { every } from "../support/time.ts";

const lookEveryMs = 500;
/** So many looks in a row: a moment between two messages is not quiet. */
const quietLooks = 6;

/** What the watch looks at, and what it leads to. */
export type LeakWatchOptions = {
  readonly status: () => Pick<GatewayStatus, "conditions" | "adapters" | "consumers">;
  /** Called once. */
  readonly onHandOver: (keys: readonly string[]) => void;
  readonly onError: (reason: unknown) => void;
};

/** Looks until it is disposed, or has handed over. */
export function watchForLeaks(options: LeakWatchOptions): Disposable {
  let looks = 0;
  const watch = every(
    lookEveryMs,
    () => {
      const status = options.status();
      const keys = leakedIn(status);
      looks = keys.length > 0 && isQuiet(status) ? looks + 1 : 0;
      if (looks < quietLooks) return;
      watch[Symbol.dispose]();
      options.onHandOver(keys);
    },
    options.onError,
  );
  return watch;
}

function leakedIn({ conditions }: Pick<GatewayStatus, "conditions">): readonly string[] {
  return conditions.filter(({ code }) => code === "thread_leaked").flatMap(({ key }) => key ?? []);
}

/** Nobody handles anything, and nothing waits to be handled. */
function isQuiet({ adapters, consumers }: Pick<GatewayStatus, "adapters" | "consumers">): boolean {
  return (
    consumers.every(({ inFlight, pending }) => inFlight === 0 && pending === 0) &&
    adapters.every(({ queue }) => queue.pending === 0 && queue.leased === 0)
  );
}
