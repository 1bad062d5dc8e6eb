/** The kit on the example's adapter, broken on purpose: each defect is caught by the cases it concerns, and by no other. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { adapterThemes, gatewayLevelCases, type AdapterTheme } from "./conformance.ts";
import type { ConformanceCase } from "./conformance-case.ts";
import { AcmePlatform } from "./example/acme-platform.ts";
import { defects, variantOf } from "./example/defects.ts";
import type { Defect } from "./example/defects/defect.ts";
import { patience } from "./within.ts";

/** Far beyond what any step of so small an adapter takes, milliseconds. */
const shortPatienceMs = 2_000;

type Attempt = {
  readonly defect: Defect;
  readonly cases: readonly ConformanceCase[];
  readonly wanted: readonly string[];
};

/** Each defect with the themes that it is tried on. */
const attempts = defects.flatMap((defect) =>
  (Object.entries(defect.fails) as readonly (readonly [AdapterTheme, readonly string[]])[]).map(
    ([theme, wanted]): Attempt & { readonly theme: AdapterTheme } => ({
      theme,
      defect,
      cases: adapterThemes[theme],
      wanted,
    }),
  ),
);

// What fails mostly waits, so some of them run at once.
describe("the cases that leave the clock alone", { concurrency: 4 }, () => {
  for (const { theme, ...attempt } of attempts) {
    const cases = attempt.cases.filter(({ setsClock = false }) => !setsClock);
    if (cases.length > 0)
      it(`catch an adapter that ${attempt.defect.does} (${theme})`, async () => {
        const failures = await Promise.all(cases.map((each) => failureOf(attempt.defect, each)));
        assertFailed({ ...attempt, cases }, failures);
      });
  }
});

describe("the cases that set the clock", () => {
  for (const { theme, ...attempt } of attempts) {
    const cases = attempt.cases.filter(({ setsClock = false }) => setsClock);
    if (cases.length > 0)
      it(`catch an adapter that ${attempt.defect.does} (${theme})`, async () => {
        const failures: unknown[] = [];
        for (const each of cases) failures.push(await failureOf(attempt.defect, each));
        assertFailed({ ...attempt, cases }, failures);
      });
  }
});

describe("the defects", () => {
  it("name cases of the themes that they are tried on", () => {
    for (const { defect, cases, wanted } of attempts)
      for (const title of wanted)
        assert.ok(
          cases.some((each) => each.title === title),
          `${defect.does}: there is no case "${title}"`,
        );
  });

  it("leave no case without one that fails it", async () => {
    await using platform = await AcmePlatform.start();
    const all = [...Object.values(adapterThemes).flat(), ...gatewayLevelCases];
    const applicable = all.filter(({ unless }: ConformanceCase) => (unless?.(platform) ?? null) === null);
    const failed = defects.flatMap(({ fails, inGateway }) => [
      ...Object.values(fails).flat(),
      ...(inGateway === undefined ? [] : [inGateway.fails]),
    ]);
    const proven = new Set(failed);
    assert.deepEqual(
      applicable.map(({ title }) => title).filter((title) => !proven.has(title)),
      [],
    );
  });
});

/** Why `each` fails for the adapter with the defect; `null`: it holds, or does not apply. */
async function failureOf(defect: Defect, { unless, run }: ConformanceCase): Promise<unknown> {
  await using platform = await AcmePlatform.start(variantOf(defect));
  if ((unless?.(platform) ?? null) !== null) return null;
  try {
    await patience.run(shortPatienceMs, () => run(platform));
    return null;
  } catch (reason) {
    return reason;
  }
}

function assertFailed({ cases, wanted }: Attempt, failures: readonly unknown[]): void {
  const failed = cases.flatMap(({ title }, index) => (failures[index] === null ? [] : [title]));
  const expected = cases.map(({ title }) => title).filter((title) => wanted.includes(title));
  const reasons = failures.filter((reason) => reason !== null).map(String);
  assert.deepEqual(failed, expected, `it is failed for: ${reasons.join("\n")}`);
}
