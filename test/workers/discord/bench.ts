/** The adapter under test and its emulator, with the few steps that Discord's own tests share. */
import type { Policy } from "../../../src/contract/adapter.ts";
import type { CommandDeclaration } from "../../../src/contract/command.ts";
import { AdapterBench } from "../../conformance/adapter-bench.ts";
import { Observed } from "../../conformance/observed.ts";
import { turns } from "../../conformance/within.ts";
import type { Interaction } from "../../emulators/discord/interaction-desk.ts";
import { DiscordPlatform } from "../../emulators/discord/platform.ts";

/** A bench on an emulator of its own. */
export type DiscordBench = AsyncDisposable & {
  readonly discord: DiscordPlatform;
  readonly bench: AdapterBench;
  /** What clients of the gateway did. */
  readonly steps: Observed<string>;
  /** Interactions as they change. */
  readonly changes: Observed<Interaction>;
};

/** A running adapter. `prepare` sets the emulator up before. */
export async function startBench(
  policy: Partial<Policy> = {},
  prepare: (discord: DiscordPlatform) => void = () => {},
): Promise<DiscordBench> {
  const discord = await DiscordPlatform.start();
  const steps = new Observed<string>();
  discord.sessions.onStep = (step) => steps.add(step);
  prepare(discord);
  const bench = await AdapterBench.start(discord, policy);
  return {
    discord,
    bench,
    steps,
    changes: discord.desk.changes,
    async [Symbol.asyncDispose]() {
      await bench[Symbol.asyncDispose]();
      // A timer of this test must not meet the clock of the next one.
      await discord.allSocketsClosed();
      await turns(20);
      await discord[Symbol.asyncDispose]();
    },
  };
}

/** A command as a consumer declares it. */
export function command(fields: Partial<CommandDeclaration> = {}): CommandDeclaration {
  return { name: "status", description: "How things are", options: [], isPrivate: false, ...fields };
}
