/** What a config warns of that the one before did not. */
import type { Config } from "../contract/config.ts";
import type { ConfigIssue } from "../contract/spec.ts";

/** `config`'s warnings without those of `before` (`null`: there was none), wherever their lines have moved to. */
export function newWarnings(config: Config, before: Config | null): readonly ConfigIssue[] {
  const known = new Set(before?.warnings.map(identity));
  return config.warnings.filter((warning) => !known.has(identity(warning)));
}

function identity({ path, message }: ConfigIssue): string {
  return JSON.stringify([path, message]);
}
