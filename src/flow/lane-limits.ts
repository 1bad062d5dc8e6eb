/** How much of what waits is in memory. All of it is on disk anyway, and is read back in its turn. */

/** See {@link laneLimits}. All are counts, of messages unless named otherwise. */
export type LaneLimits = {
  /** Of one lane. */
  readonly perLane: number;
  /** Of all lanes; beyond it a lane keeps `perFullLane` at most. */
  readonly messages: number;
  readonly perFullLane: number;
  /** Lanes in all. */
  readonly lanes: number;
  /** Lanes that one adapter has for one consumer even when there are `lanes`: nobody's flood starves another. */
  readonly lanesPerBacklog: number;
  /** Rows read from a backlog at once. */
  readonly pageRows: number;
  /** Numbers looked through at once, since most of them may be another's. */
  readonly pageSeqs: number;
};

/** What is in force outside of tests. A lane with one message takes about a kilobyte. */
export const laneLimits: LaneLimits = {
  perLane: 64,
  messages: 131_072,
  perFullLane: 8,
  lanes: 32_768,
  lanesPerBacklog: 1_024,
  pageRows: 1_000,
  pageSeqs: 50_000,
};
