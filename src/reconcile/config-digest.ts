/** Whether two accepted configs ask for the same: what `configGeneration` counts. */
import type { Config } from "../contract/config.ts";
import type { ConfigIssue, DesiredState } from "../contract/spec.ts";
import { digest } from "./fingerprint.ts";

/** Equal for configs that differ only in order, comments, formatting or how a secret is referred to. */
export function configDigest(config: Config, desired: DesiredState, fingerprintKey: Uint8Array): string {
  const { gateway, supervisor, hosts, journal, admin, notify } = config;
  const content = {
    settings: { gateway, supervisor, hosts, journal, admin, notify },
    adapters: mapValues(desired.adapters, (spec) => spec.fingerprints),
    invalid: mapValues(desired.invalid, (spec) => spec.errors.map(withoutLine)),
    consumers: mapValues(desired.consumers, (spec) => spec.fingerprint),
    router: desired.router,
    skippedBindings: desired.skippedBindings.map(withoutLine),
    // What is kept for one that is switched off goes when its table does.
    disabledKeys: config.disabledKeys.toSorted(),
  };
  return digest("config", content, fingerprintKey);
}

/** A comment above an issue moves it and changes nothing. */
function withoutLine({ path, message }: ConfigIssue): readonly string[] {
  return [path, message];
}

function mapValues<T>(map: ReadonlyMap<string, T>, change: (value: T) => unknown): Readonly<Record<string, unknown>> {
  return Object.fromEntries([...map].map(([key, value]) => [key, change(value)]));
}
