/** How the emulated gateway behaves. */

/** What a test may set. */
export type GatewayBehavior = {
  heartbeatMs: number;
  /** A heartbeat is answered. */
  isAnswering: boolean;
  /** The developer portal's switch. */
  hasMessageContent: boolean;
  /** Close codes for the next identifications. */
  readonly closeOnIdentify: number[];
  /** How RESUME is answered: as it should be, refused with "try again" or not, or not at all. */
  resumeAnswer: "normal" | "silence" | boolean;
  /** Where READY says that sessions are resumed; `""`: at the gateway. */
  resumeUrl: string;
  identifiesLeft: number;
  /** Identifications allowed within 5 seconds. */
  maxConcurrency: number;
};
