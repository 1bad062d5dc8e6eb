/** What `plan` costs when a thousand adapters run and one of them is changed. */
import type { Config } from "../../src/contract/config.ts";
import { buildDesiredState } from "../../src/reconcile/desired.ts";
import { plan } from "../../src/reconcile/plan.ts";
import { adapterConfig, adapterModules, config, fingerprintKey } from "../support/config-fixture.ts";
import type { Figure } from "./figure.ts";
import { median } from "./statistics.ts";

const section = "plan";
const adapters = 1000;
const rounds = 21;

/** In this process: nothing but the computation. */
export async function measurePlan(): Promise<readonly Figure[]> {
  const running = buildDesiredState(configOf(0), { fingerprintKey, adapterModules });
  const observed = {
    adapters: new Map(
      [...running.adapters].map(([key, spec]) => [key, { owner: "config", spec, isPaused: false } as const]),
    ),
    consumers: new Map([...running.consumers].map(([name, spec]) => [name, { owner: "config", spec } as const])),
  };
  const planTimes: number[] = [];
  const wholeTimes: number[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const changed = configOf(round);
    const begunMs = performance.now();
    const desired = buildDesiredState(changed, { fingerprintKey, adapterModules });
    const builtMs = performance.now();
    const actions = plan(desired, observed).filter(({ action }) => action !== "keep");
    if (actions.length !== 1) throw new Error(`Expected one action, found ${actions.length}`);
    planTimes.push(performance.now() - builtMs);
    wholeTimes.push(performance.now() - begunMs);
  }
  const note = `${adapters} webhooks, one changed; median of ${rounds}`;
  return [
    { section, name: "plan()", value: median(planTimes), unit: "ms", target: { below: 50 }, note },
    { section, name: "fingerprints and plan()", value: median(wholeTimes), unit: "ms", note },
  ];
}

/** `round` is in the last adapter's settings. */
function configOf(round: number): Config {
  return config({
    adapters: Array.from({ length: adapters }, (_, index) =>
      adapterConfig(`webhook:w${index}`, {
        settings: { port: 10_000 + index, bind: "127.0.0.1", title: index === adapters - 1 ? `round ${round}` : "" },
      }),
    ),
  });
}
