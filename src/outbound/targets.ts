/** Where a send goes: `KEY/ADDRESS`, or `platform:target` where that can only mean one adapter. */
import { GatewayError } from "../contract/errors.ts";
import { readPlatformTarget } from "./platform-target.ts";

/** One conversation of one adapter. Literal: `{ key: "discord:ops", conversation: "dm:42" }` */
export type Target = { readonly key: string; readonly conversation: string };

const longestAddressCharacters = 512;
const instanceKey = /^[a-z]+:[\w.-]+$/u;

/** The text form: `discord:ops/dm:42`. */
export function formatTarget(target: Target): string {
  return `${target.key}/${target.conversation}`;
}

/**
 * A target's text, split at the first `/`, its key among `configuredKeys`.
 * `platform:target` and `platform:instance:target` are read too, when exactly one configured adapter can be meant and what
 * stands before the first `/` is no runtime key that is missing.
 * @throws {GatewayError} `not_found` for a `KEY/ADDRESS` whose key is not configured; `invalid_request` for everything
 * else, with the candidates where there are several.
 */
export function parseTarget(text: string, configuredKeys: ReadonlySet<string>): Target {
  const slash = text.indexOf("/");
  const key = slash === -1 ? "" : text.slice(0, slash);
  if (configuredKeys.has(key)) return checkedTarget({ key, conversation: text.slice(slash + 1) }, text);
  // Meant as KEY/ADDRESS: an instance that is not there must not become a part of the default adapter's address.
  const readings = instanceKey.test(key) ? [] : readPlatformTarget(text, configuredKeys);
  const [only] = readings;
  if (only !== undefined && readings.length === 1) return checkedTarget(only, text);
  if (readings.length > 1)
    throw new GatewayError(
      "invalid_request",
      `Cannot send to ${shown(text)}: it may mean ${readings.map(formatTarget).join(" or ")}`,
    );
  const wanted = `expected KEY/ADDRESS with KEY one of ${[...configuredKeys].toSorted().join(", ") || "(none configured)"}`;
  if (slash > 0)
    throw new GatewayError("not_found", `Cannot send to ${shown(text)}: no adapter ${shown(key)}, ${wanted}`);
  throw new GatewayError("invalid_request", `Cannot send to ${shown(text)}: it names no configured adapter, ${wanted}`);
}

function checkedTarget(target: Target, text: string): Target {
  const { length } = target.conversation;
  if (length > 0 && length <= longestAddressCharacters) return target;
  throw new GatewayError(
    "invalid_request",
    `Cannot send to ${shown(text)}: the address has ${length} characters, expected 1 to ${longestAddressCharacters}`,
  );
}

function shown(text: string): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);
}
