/** What may come in is swapped in place. */
import assert from "node:assert/strict";
import type { Policy } from "../../../src/contract/adapter.ts";
import { derivePolicy } from "../../../src/reconcile/permissions.ts";
import { configOf } from "../../config/load-text.ts";
import { openPolicy } from "../../support/adapter-context.ts";
import { AdapterBench } from "../adapter-bench.ts";
import type { ConformanceCase } from "../conformance-case.ts";
import type { EmulatedPlatform } from "../emulated-platform.ts";
import { within } from "../within.ts";

/** Narrowed to one conversation and opened again, over the same connection. */
export async function swapsItsPolicyInPlace(platform: EmulatedPlatform): Promise<void> {
  await using bench = await AdapterBench.start(platform);
  const { running } = bench;
  // Then it is replaced, which is right as well.
  if (running.updatePolicy === undefined) return;
  const { conversation } = await bench.hear("here, while all is open");
  await bench.hear("there, while all is open", platform.otherConversation);
  const { total } = platform.connections;

  await running.updatePolicy(await policyFor(platform, conversation));
  const refused = await platform.say({ text: "there, refused", conversation: platform.otherConversation });
  await bench.hear("here, while it is narrow");
  if (platform.traits.acknowledges)
    await within(platform.acknowledged(refused), "the acknowledgement of what the policy keeps out");
  assert.deepEqual(bench.ledger.texts("there, refused"), [], "the new policy is not obeyed");

  await running.updatePolicy({ ...openPolicy, ...platform.policy });
  await bench.hear("there again", platform.otherConversation);
  assert.equal(platform.connections.total, total, "it reconnected for a policy");
  assert.equal(bench.generation, 1);
}

/** What narrows nothing on this platform disturbs nothing either. */
export async function keepsItsConnectionForANewPolicy(platform: EmulatedPlatform): Promise<void> {
  await using bench = await AdapterBench.start(platform);
  await bench.hear("before");
  const { total } = platform.connections;
  await bench.running.updatePolicy?.({ ...openPolicy, ...platform.policy, maxBodyBytes: 65_536 });
  await bench.hear("after");
  assert.equal(platform.connections.total, total, "it reconnected for a policy");
}

/** The policy that the config's own binding gives. */
async function policyFor(platform: EmulatedPlatform, conversation: string): Promise<Policy> {
  const config = await configOf(
    `[[consumers]]\nname = "main"\nbuiltin = "echo"\n${platform.bindingToml("main", conversation)}\n` +
      `[messaging.${platform.platform}]\n${platform.toml}\n`,
  );
  const [adapter] = config.adapters;
  assert.ok(adapter !== undefined, JSON.stringify(config.invalid));
  return { ...openPolicy, ...platform.policy, ...derivePolicy(adapter, config.bindings) };
}

function narrowsNothing(platform: EmulatedPlatform): string | null {
  return platform.bindingToml("main", "x") === "" ? "no binding narrows what it hears" : null;
}

/** See each. */
export const policyCases: readonly ConformanceCase[] = [
  { title: "swaps its policy without a reconnect", unless: narrowsNothing, run: swapsItsPolicyInPlace },
  { title: "keeps its connection for a new policy", run: keepsItsConnectionForANewPolicy },
];
