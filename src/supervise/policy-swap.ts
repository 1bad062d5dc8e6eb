/** A policy swapped in place; where that is not possible, the adapter is replaced. */
import type { Policy } from "../contract/adapter.ts";
import type { CommandDeclaration } from "../contract/command.ts";
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
  /** The commands as they are now; see `SupervisorContext.commands`. */
  readonly commands: () => readonly CommandDeclaration[];
  /** The generation is still the present one, and connected. */
  readonly isCurrent: () => boolean;
  /** It rejected the policy, did not answer, or cannot swap: replace it. */
  readonly onRejected: (error: GatewayError) => void;
};

/** Generations whose policy is being swapped: one at a time each, in order. */
const swapping = new WeakSet<GenerationLife>();

/**
 * Whether `life` works with another policy than it should. New commands alone are no reason to disturb an adapter that
 * cannot take them: it has them after its next start.
 */
function needsSwap(life: GenerationLife, spec: AdapterSpec, commands: readonly CommandDeclaration[]): boolean {
  if (life.policyFingerprint !== spec.fingerprints.policy) return true;
  return life.commands !== commands && life.started?.canUpdatePolicy === true;
}

/** Gives the newest policy to `life`, until it has it. Resolves then, or when it is over with it. Never rejects. */
export async function swapPolicy(life: GenerationLife, options: PolicySwapOptions): Promise<void> {
  if (swapping.has(life)) return;
  swapping.add(life);
  try {
    for (;;) {
      const spec = options.spec();
      const commands = options.commands();
      if (spec === null || !options.isCurrent() || !needsSwap(life, spec, commands)) return;
      await giveOnce(life, spec.key, { ...spec.policy, commands });
      life.policyFingerprint = spec.fingerprints.policy;
      life.commands = commands;
    }
  } catch (reason) {
    if (options.isCurrent()) options.onRejected(GatewayError.from(reason));
  } finally {
    swapping.delete(life);
  }
}

async function giveOnce(life: GenerationLife, key: string, policy: Policy): Promise<void> {
  if (life.started?.canUpdatePolicy !== true)
    throw new GatewayError(
      "unsupported_response",
      `Cannot update the policy of "${key}": its module has no updatePolicy`,
    );
  const call = life.call("updatePolicy", { policy }, { deadlineMs: policyDeadlineMs });
  await withDeadline(call, policyDeadlineMs, `Updating the policy of "${key}"`);
}
