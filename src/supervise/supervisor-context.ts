/** What every supervisor of a gateway shares. */
import type { CommandDeclaration } from "../contract/command.ts";
import type { HistoryEntry } from "../contract/control.ts";
import type { Frame } from "../contract/frame.ts";
import type { Hosts } from "../contract/host.ts";
import type { Logger } from "../support/logger.ts";
import type { HostBlame } from "./host-blame.ts";
import type { RetryBucket } from "./retry-bucket.ts";
import type { StartSlots } from "./start-slots.ts";
import type { SmallStore } from "./supervision-store.ts";

/** The world outside one supervisor; built once by the fleet. */
export type SupervisorContext = {
  readonly hosts: Hosts;
  /** @throws {GatewayError} when no number is left. */
  readonly generations: { next(): number };
  readonly slots: StartSlots;
  /** One: the turn of those that are suspect of a shared host's death. */
  readonly suspectTurns: StartSlots;
  readonly bucket: RetryBucket;
  /** Whose fault the end of a shared host was. */
  readonly blame: HostBlame;
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
  /** An adapter says what it knows, or fears, to have lost. */
  readonly onMissed: (key: string, missed: { readonly messages: number; readonly gapSeconds: number }) => void;
  /** What a key's policy offers as commands now. The same array for as long as nothing in it changes. */
  readonly commands: (key: string) => readonly CommandDeclaration[];
  /** Other adapters that live with the same credential as `key`, by runtime key. */
  readonly rivals: (key: string) => readonly string[];
  /** It obeys a newer config, number `observedGeneration`; `latest` is what it last changed to. */
  readonly onObserved: (key: string, observedGeneration: number, latest: HistoryEntry) => void;
};
