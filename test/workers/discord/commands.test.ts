/** Slash commands as Discord has them registered. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Policy } from "../../../src/contract/adapter.ts";
import { turns } from "../../conformance/within.ts";
import { openPolicy } from "../../support/adapter-context.ts";
import { command, startBench, type DiscordBench } from "./bench.ts";

const option = {
  name: "city",
  description: "Where",
  type: "string",
  required: false,
  choices: ["Oslo", "Rome"],
} as const;

describe("registered commands", () => {
  it("are what the consumers declare, and written once", async () => {
    await using test = await startBench({ commands: [command({ options: [option] })] });
    const { discord, bench } = test;
    await registered(test, "");
    assert.deepEqual(
      discord.routes.commands.get("")?.map(({ name, description }) => [name, description]),
      [["status", "How things are"]],
    );
    await bench.stop();
    await bench.start();
    await read(test, 2);
    await bench.stop();
    await bench.start();
    await read(test, 3);
    assert.deepEqual(discord.routes.commandWrites, ["PUT "]);
  });

  it("follow the policy in place, and are written only where they differ", async () => {
    await using test = await startBench({ commands: [command()] });
    const { discord } = test;
    await registered(test, "");
    await update(test, { commands: [command(), command({ name: "help" })] });
    await test.bench.ledger.log.count(
      2,
      "the second registration",
      ({ event }) => event === "discord-commands-registered",
    );
    assert.deepEqual(
      discord.routes.commands.get("")?.map(({ name }) => name),
      ["status", "help"],
    );
    await update(test, { commands: [command(), command({ name: "help" })], allowBotMessages: true });
    await turns(50);
    assert.equal(discord.routes.commandWrites.length, 2);
  });

  it("belong to the guilds that bindings name, and leave everywhere else", async () => {
    await using test = await startBench({ commands: [command()] });
    const { discord } = test;
    const { guildId } = discord.world;
    await registered(test, "");
    await update(test, { commands: [command()], guildFilter: [guildId, "799999999999999999"] });
    await test.bench.ledger.log.count(3, "both registrations", ({ event }) => event === "discord-commands-registered");
    assert.equal(discord.routes.commands.get(guildId)?.length, 1);
    assert.deepEqual(discord.routes.commands.get(""), []);
    assert.deepEqual(discord.routes.commandWrites, ["PUT ", `PUT ${guildId}`, "PUT "]);
  });

  it("are taken off when nobody declares them any more, by a later generation too", async () => {
    await using test = await startBench({ commands: [command()] });
    const { discord, bench } = test;
    await registered(test, "");
    await bench.stop();
    await bench.start();
    await update(test, { commands: [] });
    await bench.ledger.log.first(
      ({ event, fields }) => event === "discord-commands-registered" && fields["count"] === 0,
      "their end",
    );
    assert.deepEqual(discord.routes.commands.get(""), []);
  });

  it("of others are left alone while there are none of ours", async () => {
    await using test = await startBench({}, ({ routes, world }) => {
      routes.commands.set("", [{ id: world.nextId(), type: 1, name: "foreign", description: "made elsewhere" }]);
    });
    await test.bench.hear("running");
    assert.deepEqual(test.discord.routes.commandWrites, []);
  });

  it("of other kinds stay beside ours", async () => {
    await using test = await startBench({ commands: [command()] }, ({ routes, world }) => {
      routes.commands.set("", [{ id: world.nextId(), type: 4, name: "launch", description: "" }]);
    });
    await registered(test, "");
    assert.deepEqual(
      test.discord.routes.commands.get("")?.map(({ name }) => name),
      ["status", "launch"],
    );
  });

  it("leave out what Discord would refuse with all the others", async () => {
    await using test = await startBench({ commands: [command({ name: "Not Valid" }), command()] });
    await registered(test, "");
    assert.deepEqual(
      test.discord.routes.commands.get("")?.map(({ name }) => name),
      ["status"],
    );
    const refused = await test.bench.ledger.log.first(({ event }) => event === "discord-commands-refused", "a word");
    assert.deepEqual(refused.fields["names"], ["Not Valid"]);
  });

  it("cost no more than a warning when Discord refuses them", async () => {
    const commands = [command()];
    await using test = await startBench({ commands, guildFilter: ["799999999999999999"] });
    await test.bench.ledger.log.first(({ event }) => event === "discord-commands-failed", "a warning");
    assert.equal(test.bench.generation, 1);
  });
});

async function registered({ bench }: DiscordBench, scope: string): Promise<void> {
  const guildId = scope === "" ? null : scope;
  await bench.ledger.log.first(
    ({ event, fields }) => event === "discord-commands-registered" && fields["guildId"] === guildId,
    "the registration",
  );
}

/** Resolves when Discord's list was read `count` times. */
async function read({ discord }: DiscordBench, count: number): Promise<void> {
  const reads = (): number => discord.rest.requests.filter((each) => /^GET .*\/commands$/u.test(each)).length;
  for (let turn = 0; turn < 1_000 && reads() < count; turn += 1) await turns(1);
  await turns(20);
  assert.ok(reads() >= count, `${reads()} reads of the registered commands`);
}

async function update({ bench, discord }: DiscordBench, policy: Partial<Policy>): Promise<void> {
  await bench.running.updatePolicy?.call(bench.running, { ...openPolicy, ...discord.policy, ...policy });
}
