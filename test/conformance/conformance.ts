/** The conformance kit: one suite for every adapter, run against an emulator of its platform. See docs/conformance.md. */
import { describe, it } from "node:test";
import { attachmentCases } from "./cases/attachments.ts";
import { connectFaultCases } from "./cases/connect-faults.ts";
import { deliveryCases } from "./cases/delivery.ts";
import { doubtfulSendCases } from "./cases/doubtful-sends.ts";
import { eventCases } from "./cases/events.ts";
import { gatewayCases } from "./cases/gateway.ts";
import { gatewayFaultCases } from "./cases/gateway-faults.ts";
import { gatewaySecretCases } from "./cases/gateway-secrets.ts";
import { interactionCases } from "./cases/interactions.ts";
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
export const adapterThemes = {
  start: startCases,
  "connect-faults": connectFaultCases,
  "live-faults": liveFaultCases,
  delivery: deliveryCases,
  events: eventCases,
  interactions: interactionCases,
  policy: policyCases,
  responses: responseCases,
  texts: textCases,
  attachments: attachmentCases,
  "send-faults": sendFaultCases,
  "doubtful-sends": doubtfulSendCases,
  secrets: secretCases,
} as const satisfies Readonly<Record<string, readonly ConformanceCase[]>>;

/** One of {@link adapterThemes}. */
export type AdapterTheme = keyof typeof adapterThemes;

const adapterCases: readonly ConformanceCase[] = Object.values(adapterThemes).flat();

/** Cases with a gateway in processes of its own: they mostly wait, so two of them run at once. */
export const gatewayLevelCases: readonly ConformanceCase[] = [
  ...gatewayFaultCases,
  ...gatewayCases,
  ...gatewaySecretCases,
];

/**
 * Registers the whole suite; awaited at the top of a test file. `create` makes a fresh emulator for each case; it is
 * disposed after it. A case that does not apply to the platform is left out; the reasons stand in the suite's title.
 */
export async function conformance(create: () => Promise<EmulatedPlatform>): Promise<void> {
  const leftOut = new Map<ConformanceCase, string>();
  await using sample = await create();
  for (const each of [...adapterCases, ...gatewayLevelCases]) {
    const reason = each.unless?.(sample) ?? null;
    if (reason !== null) leftOut.set(each, reason);
  }
  const reasons = [...new Set(leftOut.values())];
  const remark = reasons.length === 0 ? "" : `, ${leftOut.size} cases left out (${reasons.join("; ")})`;
  describe(`conformance of ${sample.title}${remark}`, () => {
    describe("of the adapter by itself", () => {
      for (const each of adapterCases) if (!leftOut.has(each)) register(each, create);
    });
    describe("of the adapter in a gateway", { concurrency: 2 }, () => {
      for (const each of gatewayLevelCases) if (!leftOut.has(each)) register(each, create);
    });
  });
}

function register({ title, run }: ConformanceCase, create: () => Promise<EmulatedPlatform>): void {
  it(title, { timeout: 120_000 }, async () => {
    await using platform = await create();
    await run(platform);
  });
}
