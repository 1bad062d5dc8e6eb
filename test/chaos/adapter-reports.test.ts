/** What adapters and consumers tell of themselves, in real processes: commands, losses, and conflicts over a credential. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { PlanReport } from "../../src/contract/control.ts";
import { GatewayHome, type LogLine, type RunningGateway } from "../support/gateway-fixture.ts";

/** Says which commands it is given, and does as the text of a send says. */
const adapter = `export default {
  platform: "acme",
  capabilities: { text: "native" },
  maxSilenceMs: 0,
  async start(context) {
    const closed = Promise.withResolvers();
    const tell = (how, { commands }) =>
      context.log.info("commands-given", { how, names: commands.map(({ name }) => name).join(" ") });
    tell("start", context.policy);
    return {
      closed: closed.promise,
      async updatePolicy(policy) {
        tell("swap", policy);
      },
      async send({ response }) {
        const { missed, conflict } = JSON.parse(response.text);
        if (missed !== undefined) context.missed(missed);
        if (conflict !== undefined) closed.reject(Object.assign(new Error(conflict), { code: "conflict" }));
      },
      async stop() {},
    };
  },
};
`;

const consumer = `[[consumers]]\nname = "main"\nmodule = "./handler.mjs"\n`;
const acme = `[messaging.acme]\nmodule = "./acme.mjs"\n[messaging.acme.settings]\ntoken = "env:ACME_TOKEN"\n`;

function handler(commands: string): string {
  return `export default () => undefined;\nexport const commands = ${commands};\n`;
}

async function start(config: string, commands = "[]"): Promise<RunningGateway> {
  const home = new GatewayHome();
  home.writeFile("acme.mjs", adapter);
  home.writeFile("handler.mjs", handler(commands));
  home.writeConfig(config);
  return home.start({ environment: { ACME_TOKEN: "s3cret-of-acme" } });
}

function given(names: string): (line: LogLine) => boolean {
  return (line) => line.event === "commands-given" && line["names"] === names;
}

describe("commands of a consumer's module", { timeout: 180_000 }, () => {
  it("reach a running adapter in place, change with the module, and are there at once after a restart", async () => {
    const config = consumer + acme;
    const status = `{ name: "status", description: "How things are" }`;
    await using gateway = await start(config, `[${status}, { name: "Wrong", description: "x" }]`);
    await gateway.logged(given("status"));
    const skipped = await gateway.logged(({ event }) => event === "command-skipped");
    assert.deepEqual(
      [skipped["level"], skipped["consumer"], skipped["command"], skipped["field"]],
      ["warn", "main", "Wrong", "commands[1].name"],
    );
    const { generation } = await gateway.reached("acme", "running");

    gateway.home.writeFile("handler.mjs", handler(`[{ name: "ask", description: "Ask me" }, ${status}]`));
    const swapped = gateway.nextLogged(given("ask status"));
    await gateway.admin("POST", "/v1/reload?wait=30");
    assert.equal((await swapped)["how"], "swap");
    const plan = (await gateway.admin("GET", "/v1/plan")).body as PlanReport;
    assert.deepEqual([...new Set(plan.actions.map(({ action }) => action))], ["keep"]);
    const after = await gateway.reached("acme", "running");
    assert.deepEqual([after.generation, after.restarts], [generation, 0]);
    const told = gateway.log.filter(({ event }) => event === "commands-given").map(({ names }) => names);
    assert.deepEqual(told.at(-1), "ask status");
    assert.equal(told.lastIndexOf(""), told.indexOf(""), "none were taken back between the two modules");

    gateway.signal("SIGTERM");
    assert.equal(await gateway.ended, 0);
    const last = gateway.log.findLast(({ event }) => event === "commands-given");
    assert.equal(last?.["names"], "ask status", "the end of the gateway takes none back");
    await using again = await gateway.home.start({ environment: { ACME_TOKEN: "s3cret-of-acme" } });
    const first = await again.logged(({ event }) => event === "commands-given");
    assert.deepEqual([first["how"], first["names"]], ["start", "ask status"]);

    const gone = again.nextLogged(given(""));
    again.home.writeConfig(`[[consumers]]\nname = "main"\nbuiltin = "echo"\n${acme}`);
    assert.equal((await gone)["how"], "swap");
  });
});

describe("an adapter that has missed messages", { timeout: 120_000 }, () => {
  it("has them in its status, in the metrics and in the log", async () => {
    await using gateway = await start(consumer + acme);
    await gateway.reached("acme", "running");
    await gateway.provoke("acme", { missed: { messages: 3, gapSeconds: 1.5 } });
    const line = await gateway.logged(({ event }) => event === "messages-missed");
    assert.deepEqual([line["level"], line["key"], line["messages"], line["gapSeconds"]], ["warn", "acme", 3, 1.5]);
    const { messages } = await gateway.reached("acme", "running");
    assert.deepEqual([messages.lost, messages.gapSeconds], [3, 1.5]);
    const metrics = String((await gateway.admin("GET", "/metrics")).body);
    assert.match(metrics, /^bulkhead_adapter_lost_messages_total\{adapter="acme"\} 3$/mu);
    assert.match(metrics, /^bulkhead_adapter_gap_seconds_total\{adapter="acme"\} 1\.5$/mu);
  });
});

describe("a conflict over a credential", { timeout: 120_000 }, () => {
  it("names the other adapter of this gateway that uses it, and no secret", async () => {
    const other = (name: string, token: string): string =>
      `[[messaging.acme.instances]]\nname = "${name}"\n[messaging.acme.instances.settings]\ntoken = "${token}"\n`;
    const config = consumer + acme + other("b", "env:ACME_TOKEN") + other("c", "env:OTHER_TOKEN");
    const home = new GatewayHome();
    home.writeFile("acme.mjs", adapter);
    home.writeFile("handler.mjs", handler("[]"));
    home.writeConfig(config);
    await using gateway = await home.start({
      environment: { ACME_TOKEN: "s3cret-of-acme", OTHER_TOKEN: "another-s3cret" },
    });
    for (const key of ["acme", "acme:b", "acme:c"]) await gateway.reached(key, "running");
    const backsOff = (key: string): Promise<LogLine> =>
      gateway.nextLogged(
        (line) => line.event === "adapter-state" && line["key"] === key && line["reason"] === "conflict",
      );
    const ended = backsOff("acme");
    await gateway.provoke("acme", { conflict: "Cannot poll: terminated by another poller" });
    assert.equal(
      (await ended)["message"],
      "Cannot poll: terminated by another poller (acme:b in this gateway uses the same credential)",
    );
    const alone = backsOff("acme:c");
    await gateway.provoke("acme:c", { conflict: "Cannot poll: terminated by another poller" });
    assert.equal((await alone)["message"], "Cannot poll: terminated by another poller");
  });
});
