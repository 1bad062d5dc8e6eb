import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { loadConfig } from "../../../src/config/load.ts";
import type { AdapterConfig } from "../../../src/contract/config.ts";
import { GatewayHome } from "../../support/gateway-fixture.ts";
import { chaosConfig, secretFile, secretsOf, type Variant } from "./chaos-config.ts";
import { startPlatforms, type ChaosPlatform } from "./chaos-platforms.ts";
import type { SavedConfig } from "./fault.ts";
import { installFaultModule } from "./fault-module.ts";

/** What each saved config comes to. */
class Saver {
  readonly platforms: readonly ChaosPlatform[];
  readonly #home = new GatewayHome();
  readonly #faultModule = installFaultModule(this.#home).path;

  constructor(platforms: readonly ChaosPlatform[]) {
    this.platforms = platforms;
    this.#home.writeFile("handler.mjs", "");
    for (const [key, secret] of [...secretsOf(platforms), ["fault", "any"] as const]) this.rotate(key, secret);
  }

  rotate(key: string, secret: string): void {
    this.#home.writeFile(secretFile(key), secret);
  }

  async save(variant: Variant | null): Promise<{ readonly adapters: Map<string, AdapterConfig>; invalid: string[] }> {
    this.#home.writeConfig(chaosConfig({ platforms: this.platforms, faultModule: this.#faultModule }, variant));
    const result = await loadConfig({ source: { kind: "file", path: this.#home.configPath }, environment: {} });
    assert.ok(result.ok, JSON.stringify(result));
    const { adapters, invalid } = result.config;
    return { adapters: new Map(adapters.map((each) => [each.key, each])), invalid: invalid.map(({ key }) => key) };
  }
}

/** The keys whose adapter is another, or whose policy alone is. */
async function changed(saver: Saver, variant: Variant | null, before: Map<string, AdapterConfig>) {
  const { adapters, invalid } = await saver.save(variant);
  const others = [...adapters].filter(([key, each]) => JSON.stringify(each) !== JSON.stringify(before.get(key)));
  const withPolicyOfBefore = others.filter(
    ([key, each]) => JSON.stringify({ ...each, policy: before.get(key)?.policy }) !== JSON.stringify(before.get(key)),
  );
  return { replaced: withPolicyOfBefore.map(([key]) => key), other: others.map(([key]) => key), invalid };
}

describe("chaosConfig()", () => {
  it("touches with each variant the one platform that it names, in the way that it says", async () => {
    await using stack = new AsyncDisposableStack();
    const saver = new Saver(await startPlatforms(stack));
    const { adapters, invalid } = await saver.save(null);
    assert.deepEqual(invalid, []);
    assert.equal(adapters.size, saver.platforms.length + 1);
    const of = (what: SavedConfig, platform: string) => changed(saver, { what, platform, turn: 1 }, adapters);
    for (const { key } of saver.platforms) {
      assert.deepEqual(await of("settings", key), { replaced: [key], other: [key], invalid: [] });
      assert.deepEqual(await of("error", key), { replaced: [], other: [], invalid: [key] });
    }
    for (const key of ["discord", "slack", "telegram", "email", "webhook"].filter((each) => adapters.has(each)))
      assert.deepEqual(await of("policy", key), { replaced: [], other: [key], invalid: [] });
  });

  it("has a secret of each service, and of the fault adapter, in a file that can be another", async () => {
    await using stack = new AsyncDisposableStack();
    const saver = new Saver(await startPlatforms(stack));
    const { adapters } = await saver.save(null);
    const secrets = secretsOf(saver.platforms);
    const services = saver.platforms.filter(({ emulated }) => !emulated.traits.isPull).map(({ key }) => key);
    assert.deepEqual([...secrets.keys()], services);
    for (const [key, right] of [...secrets, ["fault", "any"] as const]) {
      saver.rotate(key, `${right}1`);
      assert.deepEqual(await changed(saver, null, adapters), { replaced: [key], other: [key], invalid: [] });
      saver.rotate(key, right);
    }
  });
});
