/** Which hosts are silent or too large. Pure but for its own memory of earlier looks. */

const silentAfterMs = 5000;
/** One look above the limit may be garbage that is about to go. */
const overLimitLooks = 6;
/** A look this late was our own stall, which says nothing about any host. */
const stallMs = 1000;

/** What the watch needs to know of a host. */
export type WatchedHost = {
  readonly connection: {
    lastFrameMs: number;
    readonly rssBytes: number;
    readonly kind: string;
    readonly isCondemned: boolean;
  };
};

/** Looks at all hosts now and then. */
export class HostWatch {
  readonly #rssLimitBytes: number;
  readonly #looksOverLimit = new WeakMap<WatchedHost, number>();
  #lastLookMs: number | null = null;

  constructor(rssLimitBytes: number) {
    this.#rssLimitBytes = rssLimitBytes;
  }

  /** `nowMs` of a monotonic clock. The coordinator's own process is never silent to itself, nor limited here. */
  check<Host extends WatchedHost>(
    hosts: readonly Host[],
    nowMs: number,
  ): readonly { readonly host: Host; readonly finding: "silent" | "too_large" }[] {
    const sinceLastMs = this.#lastLookMs === null ? 0 : nowMs - this.#lastLookMs;
    this.#lastLookMs = nowMs;
    const findings: { readonly host: Host; readonly finding: "silent" | "too_large" }[] = [];
    for (const host of hosts) {
      const { connection } = host;
      if (connection.kind === "inline") continue;
      // Frames that came during our own stall are still unread: give the host the time back.
      if (sinceLastMs > stallMs) connection.lastFrameMs = Math.min(nowMs, connection.lastFrameMs + sinceLastMs);
      if (nowMs - connection.lastFrameMs > silentAfterMs) findings.push({ host, finding: "silent" });
      const looks = connection.rssBytes > this.#rssLimitBytes ? (this.#looksOverLimit.get(host) ?? 0) + 1 : 0;
      this.#looksOverLimit.set(host, looks);
      if (looks === overLimitLooks && !connection.isCondemned) findings.push({ host, finding: "too_large" });
    }
    return findings;
  }
}
