/** Reads the gateway's config again and again: from its own source, at each of its changes, or from a TOML text for a plan. */
import { dirname } from "node:path";
import { loadConfig, type ConfigSource } from "../config/load.ts";
import { ConfigWatcher } from "../config/watch.ts";
import type { Config, LoadResult } from "../contract/config.ts";
import type { PlannedConfig } from "../contract/control.ts";
import type { Reconciler } from "../reconcile/reconciler.ts";
import type { Logger } from "../support/logger.ts";

/** References are resolved anew at every call, so that a rotated secret is seen. */
export function createConfigLoader(options: {
  readonly source: ConfigSource;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Consumers of kind `stream` become `library`: in a library messages are taken by code, not over a socket. */
  readonly isLibrary: boolean;
}): (config?: PlannedConfig) => Promise<LoadResult> {
  const { source, environment, isLibrary } = options;
  const baseDir = source.kind === "file" ? dirname(source.path) : source.baseDir;
  return async (config) => {
    const result = await loadConfig({ source: config === undefined ? source : sourceOf(config, baseDir), environment });
    return result.ok && isLibrary ? { ok: true, config: withLibraryConsumers(result.config) } : result;
  };
}

function sourceOf(config: PlannedConfig, baseDir: string): ConfigSource {
  if (typeof config === "string") return { kind: "text", text: config, baseDir };
  return "path" in config ? { kind: "file", path: config.path } : { kind: "object", value: config.value, baseDir };
}

/** Has the reconciler follow every change of the file at `path`. */
export async function watchConfig(
  path: string,
  parts: { readonly reconciler: Pick<Reconciler, "trigger" | "missing">; readonly logger: Logger },
): Promise<ConfigWatcher> {
  const { reconciler, logger } = parts;
  const watcher = await ConfigWatcher.start({
    path,
    onChange: () => reconciler.trigger("file"),
    onMissing: () => reconciler.missing(),
    onError: (reason) => logger.warn("config-watch-failed", { error: String(reason) }),
  });
  // The watcher compares with the file as it found it: an edit since the first load would be seen by nobody.
  reconciler.trigger("file");
  return watcher;
}

function withLibraryConsumers(config: Config): Config {
  const consumers = config.consumers.map((consumer) =>
    consumer.target.kind === "stream" ? { ...consumer, target: { kind: "library" as const } } : consumer,
  );
  return { ...config, consumers };
}
