/** The conformance kit: one suite for every adapter, run against an emulator of its platform. See docs/conformance.md. */
import { describe, it } from "node:test";
import { attachmentCases } from "./cases/attachments.ts";
import { connectFaultCases } from "./cases/connect-faults.ts";
import { deliveryCases } from "./cases/delivery.ts";
import { gatewayCases } from "./cases/gateway.ts";
import { gatewayFaultCases } from "./cases/gateway-faults.ts";
import { gatewaySecretCases } from "./cases/gateway-secrets.ts";
import { liveFaultCases } from "./cases/live-faults.ts";
import { policyCases } from "./cases/policy.ts";
import { responseCases } from "./cases/responses.ts";
import { secretCases } from "./cases/secrets.ts";
import { sendFaultCases } from "./cases/send-faults.ts";
import { startCases } from "./cases/start.ts";
import { textCases } from "./cases/texts.ts";
import type { ConformanceCase } from "./conformance-case.ts";
import type { EmulatedPlatform } from "./emulated-platform.ts";

/** Cases with the adapter in the test's own thread, one after the other: some of them set its clock. */
export const adapterCases: readonly ConformanceCase[] = [
  ...startCases,
  ...connectFaultCases,
  ...liveFaultCases,
  ...deliveryCases,
  ...policyCases,
  ...responseCases,
  ...textCases,
  ...attachmentCases,
  ...sendFaultCases,
  ...secretCases,
];

/** Cases with a gateway in processes of its own: they mostly wait, so two of them run at once. */
export const gatewayLevelCases: readonly ConformanceCase[] = [
  ...gatewayFaultCases,
  ...gatewayCases,
  ...gatewaySecretCases,
];

/**
 * Registers the whole suite. `create` makes a fresh emulator for each case; it is disposed after it.
 * What does not apply to the platform is skipped, with the reason.
 */
export function conformance(create: () => Promise<EmulatedPlatform>): void {
  describe("conformance", () => {
    describe("of the adapter by itself", () => {
      for (const each of adapterCases) register(each, create);
    });
    describe("of the adapter in a gateway", { concurrency: 2 }, () => {
      for (const each of gatewayLevelCases) register(each, create);
    });
  });
}

function register({ title, unless, run }: ConformanceCase, create: () => Promise<EmulatedPlatform>): void {
  it(title, { timeout: 120_000 }, async (test) => {
    await using platform = await create();
    const reason = unless?.(platform) ?? null;
    if (reason === null) await run(platform);
    else test.skip(reason);
  });
}
