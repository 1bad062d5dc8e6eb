import { describe, it } from "node:test";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { assertNodeIsNewEnough } from "../../src/support/required-node.ts";

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

describe("assertNodeIsNewEnough()", () => {
  for (const version of ["24.15.0", "24.21.3", "25.0.0", "26.10.0", "27.0.0-nightly20261122"])
    it(`lets ${version} pass`, () => assertNodeIsNewEnough(version));

  for (const version of ["4.9.1", "20.20.2", "23.99.0", "24.2.0", "24.14.9"])
    it(`says what is wanted to ${version}`, () => {
      assert.throws(() => assertNodeIsNewEnough(version), {
        message: `Cannot load bulkhead: found Node ${version}, expected >=24.15`,
      });
    });

  it("wants what the package's engines, the launcher and pm2's file want", () => {
    const { engines } = JSON.parse(read("package.json")) as { readonly engines: { readonly node: string } };
    assert.equal(engines.node, ">=24.15");
    for (const path of ["src/launch.cjs", "ecosystem.config.cjs"])
      assert.match(read(path), /var wantedMajor = 24;\nvar wantedMinor = 15;/, path);
  });
});
