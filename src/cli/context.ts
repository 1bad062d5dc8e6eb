/** What every command of the command line is given, and how one of them ends. */
import type { AdminClient } from "../admin-client.ts";
import type { Config, LoadResult } from "../contract/config.ts";
import type { PlanAction } from "../contract/control.ts";

/** 0 done, 1 failed, 2 usage or invalid config, 3 gateway not running. */
export const exitCodes = { done: 0, failed: 1, usage: 2, notRunning: 3 } as const;

/** Ends the command: `message` is one sentence for standard error, without full stop. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly exitCode: number;

  constructor(exitCode: number, message: string) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** A config file, or the embedded default in `baseDir`. */
export type ConfigSource =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "embedded"; readonly baseDir: string };

/** A command's surroundings. The stages it needs are handed in, since only entries may import them. */
export type CommandContext = {
  /** Print JSON where a person would read a table. */
  readonly json: boolean;
  readonly source: ConfigSource;
  /** Writes a line to standard output. */
  print(line: string): void;
  /** Writes a line to standard error. */
  complain(line: string): void;
  load(source: ConfigSource): Promise<LoadResult>;
  /** What a start with `config` would do, with nothing running. */
  planFromNothing(config: Config): readonly PlanAction[];
  /** @throws {NotRunningError} when no gateway was ever started there. */
  connect(): Promise<AdminClient>;
};
