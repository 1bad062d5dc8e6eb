/** Whether everything is as the config says, and what is not. Pure. */
import type { GatewayStatus } from "../../../src/contract/status.ts";

/** What is not as it should be, in words; none: the gateway has converged. */
export function whatIsMissing(status: GatewayStatus, keys: readonly string[]): readonly string[] {
  const listed = new Map(status.adapters.map((adapter) => [adapter.key, adapter]));
  const missing = keys.flatMap((key): string[] => {
    const adapter = listed.get(key);
    if (adapter === undefined) return [`${key} is not there`];
    const { state, reason, message, observedGeneration, desiredGeneration } = adapter;
    if (state !== "running") return [`${key} is ${state} (${reason}: ${message ?? ""})`];
    if (observedGeneration === desiredGeneration && desiredGeneration === status.configGeneration) return [];
    return [`${key} obeys config ${observedGeneration} of ${status.configGeneration}`];
  });
  const surplus = [...listed.keys()].filter((key) => !keys.includes(key)).map((key) => `${key} is still there`);
  const refused = status.conditions
    .filter(({ code }) => code === "config_invalid" || code === "spec_invalid" || code === "config_missing")
    .map(({ code, message }) => `${code}: ${message}`);
  return [...missing, ...surplus, ...refused];
}
