import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { buildDesiredState } from "../../src/reconcile/desired.ts";
import { routerInForce } from "../../src/reconcile/router-in-force.ts";
import { adapterConfig, adapterModules, config, fingerprintKey } from "../support/config-fixture.ts";

const options = { fingerprintKey, adapterModules };
const adapters = [adapterConfig("discord", { authority: ["42"] }), adapterConfig("slack", { authority: ["7"] })];
const before = buildDesiredState(config({ adapters }), options).router;

describe("routerInForce()", () => {
  it("an error in a table does not open the commands of the adapter that runs on", () => {
    const invalid = [{ key: "discord", platform: "discord", errors: [] }];
    const desired = buildDesiredState(config({ adapters: adapters.slice(1), invalid }), options);
    assert.deepEqual(routerInForce(desired, before).adapterAuthority, { discord: ["42"], slack: ["7"] });
  });

  it("forgets the authority of an adapter that left the config", () => {
    const desired = buildDesiredState(config({ adapters: adapters.slice(1) }), options);
    assert.deepEqual(routerInForce(desired, before).adapterAuthority, { slack: ["7"] });
  });

  it("is the config's own router at boot", () => {
    const desired = buildDesiredState(config({ adapters }), options);
    assert.equal(routerInForce(desired, null), desired.router);
  });
});
