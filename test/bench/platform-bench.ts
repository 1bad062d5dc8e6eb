/**
 * The real platform adapters, compiled, against their emulators; each wrapped so that its messages say when they were
 * emitted, and so that it crashes when it is told to.
 */
import type { EmulatedPlatform } from "../conformance/emulated-platform.ts";
import { DiscordPlatform } from "../emulators/discord/platform.ts";
import { EmailPlatform } from "../emulators/email/platform.ts";
import { SlackPlatform } from "../emulators/slack/platform.ts";
import { TelegramPlatform } from "../emulators/telegram/platform.ts";
import type { RunningGateway } from "../support/gateway-fixture.ts";
import { allRunning, BenchHome, installModule, startGateway } from "./bench-gateway.ts";

/** The platforms that are measured side by side. */
export const benchedPlatforms = ["discord", "slack", "telegram"] as const;
/** One of {@link benchedPlatforms}. */
export type BenchedPlatform = (typeof benchedPlatforms)[number];

/** A platform and the runtime key of its adapter. */
export type BenchedAdapter = { readonly key: string; readonly platform: EmulatedPlatform };

const consumerName = "main";

/** A gateway with some of the platforms. Disposing ends it and the emulators. */
export class PlatformBench implements AsyncDisposable {
  readonly gateway: RunningGateway;
  readonly adapters: readonly BenchedAdapter[];
  readonly #stack: AsyncDisposableStack;

  /** Resolves when all of `names` are running. `supervisor`: further lines of that table. */
  static async start(names: readonly (BenchedPlatform | "email")[], supervisor = ""): Promise<PlatformBench> {
    await using stack = new AsyncDisposableStack();
    const home = stack.use(new BenchHome());
    const adapters: BenchedAdapter[] = [];
    for (const name of names) adapters.push({ key: `bench${name}`, platform: stack.use(await startPlatform(name)) });
    const consumer = installModule(home, new URL("./bench-consumer.ts", import.meta.url));
    const tables = adapters.map(({ key, platform }) => tableOf(home, key, platform));
    home.writeConfig(
      `[supervisor]\nslow_retry_failures = 100\nbackoff_max_ms = 1000\n${supervisor}` +
        `[[consumers]]\nname = "${consumerName}"\nmodule = "${consumer}"\nconcurrency = 256\n${tables.join("")}`,
    );
    const gateway = stack.use(await startGateway(home));
    await allRunning(
      gateway,
      adapters.map(({ key }) => key),
    );
    return new PlatformBench(gateway, adapters, stack.move());
  }

  private constructor(gateway: RunningGateway, adapters: readonly BenchedAdapter[], stack: AsyncDisposableStack) {
    this.gateway = gateway;
    this.adapters = adapters;
    this.#stack = stack;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

/** An emulated platform in its most used form. */
export function startPlatform(name: BenchedPlatform | "email"): Promise<EmulatedPlatform> {
  if (name === "email") return EmailPlatform.start();
  if (name === "discord") return DiscordPlatform.start();
  return name === "slack" ? SlackPlatform.start("socket") : TelegramPlatform.start("polling");
}

function tableOf(home: BenchHome, key: string, { platform, settings }: EmulatedPlatform): string {
  const adapterUrl = new URL(`../../dist/workers/${platform}/adapter.js`, import.meta.url).href;
  const path = home.writeFile(`${key}.mjs`, wrapperOf(adapterUrl));
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${JSON.stringify(value)}\n`);
  return `[messaging.${key}]\nmodule = "${path}"\n[messaging.${key}.settings]\n${lines.join("")}`;
}

function wrapperOf(adapterUrl: string): string {
  return `import adapter from ${JSON.stringify(adapterUrl)};
export default {
  ...adapter,
  start(context) {
    const startedAtMs = Date.now();
    const stamp = (message) => {
      // The platform may bring it again to the next generation, which is not meant.
      const saidAtMs = Number(/^crash ([0-9]+)$/.exec(message.text)?.[1]);
      if (saidAtMs >= startedAtMs) setImmediate(() => { throw new Error("told to crash"); });
      return { ...message, metadata: { ...message.metadata, emittedAtMs: Number(process.hrtime.bigint()) / 1e6 } };
    };
    return adapter.start({
      ...context,
      emit: (messages) => context.emit(Array.isArray(messages) ? messages.map(stamp) : stamp(messages)),
    });
  },
};
`;
}

/** Makes an adapter crash. */
export async function crash({ platform }: BenchedAdapter): Promise<void> {
  await platform.say({ text: `crash ${Date.now()}` });
}
