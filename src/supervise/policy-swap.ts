/** A policy swapped in place; where that is not possible, the adapter is replaced. */
import { GatewayError } from "../contract/errors.ts";
import type { AdapterSpec } from "../contract/spec.ts";
import { withDeadline } from "../support/time.ts";
import type { GenerationLife } from "./generation-life.ts";

/** So long may an adapter take to accept a policy. */
export const policyDeadlineMs = 5000;

/** What a swap asks and tells while it runs. */
export type PolicySwapOptions = {
  /** The spec as it is now: a newer policy may come while one is being given. */
  readonly spec: () => AdapterSpec | null;
  /** The generation is still the present one, and connected. */
  readonly isCurrent: () => boolean;
  /** It rejected the policy, did not answer, or cannot swap: replace it. */
  readonly onRejected: (error: GatewayError) => void;
};

/** Generations whose policy is being swapped: one at a time each, in order. */
const swapping = new WeakSet<GenerationLife>();

/** Gives the newest policy to `life`, until it has it. Resolves then, or when it is over with it. Never rejects. */
export async function swapPolicy(life: GenerationLife, options: PolicySwapOptions): Promise<void> {
  if (swapping.has(life)) return;
  swapping.add(life);
  try {
    for (let spec = nextSpec(life, options); spec !== null; spec = nextSpec(life, options)) {
      await giveOnce(life, spec);
      life.policyFingerprint = spec.fingerprints.policy;
    }
  } catch (reason) {
    if (options.isCurrent()) options.onRejected(GatewayError.from(reason));
  } finally {
    swapping.delete(life);
  }
}

function nextSpec(life: GenerationLife, options: PolicySwapOptions): AdapterSpec | null {
  const spec = options.spec();
  const isDone = spec === null || !options.isCurrent() || spec.fingerprints.policy === life.policyFingerprint;
  return isDone ? null : spec;
}

async function giveOnce(life: GenerationLife, spec: AdapterSpec): Promise<void> {
  if (life.started?.canUpdatePolicy !== true)
    throw new GatewayError(
      "unsupported_response",
      `Cannot update the policy of "${spec.key}": its module has no updatePolicy`,
    );
  const call = life.call("updatePolicy", { policy: spec.policy }, { deadlineMs: policyDeadlineMs });
  await withDeadline(call, policyDeadlineMs, `Updating the policy of "${spec.key}"`);
}
