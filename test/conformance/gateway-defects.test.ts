/** The kit's cases in a gateway on the example's adapter, broken on purpose: each of them is failed, for the right reason. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { gatewayLevelCases } from "./conformance.ts";
import { AcmePlatform } from "./example/acme-platform.ts";
import { defects, variantOf } from "./example/defects.ts";
import { patience } from "./within.ts";

/** Beyond what processes take to start and a silence to show on a busy machine, milliseconds. */
const shortPatienceMs = 15_000;

describe("the cases in a gateway", { concurrency: 2 }, () => {
  for (const defect of defects) {
    const { does, inGateway } = defect;
    if (inGateway === undefined) continue;
    it(`catch an adapter that ${does}`, { timeout: 115_000 }, async () => {
      const found = gatewayLevelCases.find(({ title }) => title === inGateway.fails);
      assert.ok(found !== undefined, `there is no case "${inGateway.fails}"`);
      await using platform = await AcmePlatform.start(variantOf(defect));
      await assert.rejects(
        patience.run(shortPatienceMs, () => found.run(platform)),
        inGateway.says,
      );
    });
  }
});
