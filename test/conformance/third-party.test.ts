/** The kit on an adapter that is not ours, and on the same one broken on purpose: each defect is caught, and no other. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { attachmentCases } from "./cases/attachments.ts";
import { connectFaultCases } from "./cases/connect-faults.ts";
import { deliveryCases } from "./cases/delivery.ts";
import { policyCases } from "./cases/policy.ts";
import { secretCases } from "./cases/secrets.ts";
import { sendFaultCases } from "./cases/send-faults.ts";
import { startCases } from "./cases/start.ts";
import { textCases } from "./cases/texts.ts";
import { conformance } from "./conformance.ts";
import type { ConformanceCase } from "./conformance-case.ts";
import { AcmePlatform } from "./example/acme-platform.ts";
import { defects } from "./example/defects.ts";
import { patience } from "./within.ts";

await conformance(() => AcmePlatform.start());

/** Far beyond what any step of so small an adapter takes, milliseconds. */
const shortPatienceMs = 1_500;

type Row = {
  readonly defect: keyof typeof defects;
  /** All cases of one theme. */
  readonly cases: readonly ConformanceCase[];
  /** Those of them that fail. */
  readonly caught: readonly string[];
};

const rows: readonly Row[] = [
  {
    defect: "acknowledges before the gateway has accepted",
    cases: deliveryCases,
    caught: [
      "acknowledges a message only once it is accepted",
      "brings again what the gateway refused",
      "goes on after a death in mid-stream where it was",
    ],
  },
  {
    defect: "gives a message that comes again a new id",
    cases: deliveryCases,
    caught: ["gives a message that comes again its old id, and each other one its own"],
  },
  {
    defect: "says its token in the error of a start",
    cases: secretCases,
    caught: ["keeps its secrets when a start fails"],
  },
  {
    defect: "leaves a socket open",
    cases: startCases,
    caught: [
      "closes every socket when it is stopped, and may be stopped twice",
      "closes a half-open connection when it is stopped",
    ],
  },
  {
    defect: "tries again and again by itself",
    cases: connectFaultCases,
    caught: ["gives up after a few tries on a service that is down"],
  },
  {
    defect: "waits for ever for its service",
    cases: connectFaultCases,
    caught: ["ends a start that the service never answers"],
  },
  { defect: "cuts characters in two", cases: textCases, caught: ["never cuts a character in two"] },
  { defect: "takes files of any size", cases: attachmentCases, caught: ["refuses a file that is too large"] },
  { defect: "reconnects for a policy", cases: policyCases, caught: ["keeps its connection for a new policy"] },
  {
    defect: "says again what it has said",
    cases: sendFaultCases,
    caught: [
      "keeps the wait that a rate limit asks for",
      "says it once after a server error",
      "says it once after its socket was cut",
    ],
  },
];

describe("an adapter that", () => {
  for (const { defect, cases, caught } of rows)
    it(`${defect} is caught`, async () => {
      const failed: string[] = [];
      for (const { title, unless, run } of cases) {
        await using platform = await AcmePlatform.start(defects[defect]);
        if ((unless?.(platform) ?? null) !== null) continue;
        await patience.run(shortPatienceMs, () => run(platform)).catch(() => failed.push(title));
      }
      assert.deepEqual(failed, caught);
    });
});
