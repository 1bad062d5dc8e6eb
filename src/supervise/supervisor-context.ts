/** What every supervisor of a gateway shares. */
import type { HistoryEntry } from "../contract/control.ts";
import type { Frame } from "../contract/frame.ts";
import type { Hosts } from "../contract/host.ts";
import type { Logger } from "../support/logger.ts";
import type { RetryBucket } from "./retry-bucket.ts";
import type { StartSlots } from "./start-slots.ts";
import type { SmallStore } from "./supervision-store.ts";

/** The world outside one supervisor; built once by the fleet. */
export type SupervisorContext = {
  readonly hosts: Hosts;
  /** @throws {GatewayError} when no number is left. */
  readonly generations: { next(): number };
  readonly slots: StartSlots;
  readonly bucket: RetryBucket;
  readonly store: SmallStore;
  readonly logger: Logger;
  /** 0 (inclusive) to 1 (exclusive). */
  readonly random: () => number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Takes secrets out of what adapters say of themselves. */
  readonly redact: (text: string) => string;
  /** `data` and `request` frames of a key's present generation, in order, up to the last one before its end. */
  readonly onFrame: (key: string, generation: number, frame: Frame) => void;
  /** A state, reason or generation has changed. */
  readonly onChange: (key: string, entry: HistoryEntry) => void;
};
