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

/** Each defect with the themes that it is tried on, and the titles of the cases that fail. */
const attempts = defects.flatMap((defect) =>
  (Object.entries(defect.fails) as readonly (readonly [AdapterTheme, readonly string[]])[]).map(
    ([theme, fails]) => ({ defect, theme, fails }) as const,
  ),
);

for (const setsClock of [false, true]) {
  const name = `the cases that ${setsClock ? "set the clock" : "leave the clock alone"}`;
  // What fails mostly waits, so some of them run at once. A clock is of the whole process.
  describe(name, { concurrency: setsClock ? 1 : 4 }, () => {
    for (const { defect, theme, fails } of attempts) {
      const cases = adapterThemes[theme].filter((each: ConformanceCase) => (each.setsClock ?? false) === setsClock);
      const expected = cases.map(({ title }) => title).filter((title) => fails.includes(title));
      if (cases.length === 0) continue;
      it(`${expected.length > 0 ? "catch" : "hold for"} an adapter that ${defect.does} (${theme})`, async () => {
        const failures = await failuresOf(defect, cases, { atOnce: !setsClock });
        const reasons = failures.map(({ title, reason }) => `${title}: ${String(reason)}`).join("\n");
        assert.deepEqual(
          failures.map(({ title }) => title),
          expected,
          `it fails:\n${reasons}`,
        );
      });
    }
  });
}

describe("the defects", () => {
  it("name cases of the themes that they are tried on", () => {
    for (const { defect, theme, fails } of attempts)
      for (const title of fails)
        assert.ok(
          adapterThemes[theme].some((each) => each.title === title),
          `${defect.does}: there is no case "${title}" in ${theme}`,
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

type Failure = { readonly title: string; readonly reason: unknown };

/** Those of `cases` that fail for the adapter with the defect, in their order. */
async function failuresOf(
  defect: Defect,
  cases: readonly ConformanceCase[],
  { atOnce }: { readonly atOnce: boolean },
): Promise<readonly Failure[]> {
  const failures: (Failure | null)[] = [];
  if (atOnce) failures.push(...(await Promise.all(cases.map((each) => failureOf(defect, each)))));
  else for (const each of cases) failures.push(await failureOf(defect, each));
  return failures.filter((failure) => failure !== null);
}

/** `null`: it holds, or does not apply. */
async function failureOf(defect: Defect, { title, unless, run }: ConformanceCase): Promise<Failure | null> {
  await using platform = await AcmePlatform.start(variantOf(defect));
  if ((unless?.(platform) ?? null) !== null) return null;
  try {
    await patience.run(shortPatienceMs, () => run(platform));
    return null;
  } catch (reason) {
    return { title, reason };
  }
}
