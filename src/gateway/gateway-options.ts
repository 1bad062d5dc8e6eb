/** What a gateway is opened with. */
import type { ConfigSource } from "../config/load.ts";

/** Where the entries of processes and threads are, and the built-in platforms' modules: file URLs. */
export type Catalog = {
  readonly entries: Readonly<Record<"host" | "adapter" | "consumer" | "journal", string>>;
  readonly adapterModules: Readonly<Record<string, string>>;
};

/** What a gateway needs. */
export type GatewayOptions = {
  readonly source: ConfigSource;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly catalog: Catalog;
  /** Consumers of kind `stream` are then read through `Consumers.library`. */
  readonly isLibrary?: boolean;
  /** Default: standard output. */
  readonly logDestination?: { write(line: string): void };
};
