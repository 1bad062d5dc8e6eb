/** An emulated workspace with the adapter under test. */
import { AdapterBench } from "../../conformance/adapter-bench.ts";
import { SlackPlatform, type SlackMode } from "../../emulators/slack/platform.ts";

/** Both, and their end. */
export type SlackBench = AsyncDisposable & { readonly slack: SlackPlatform; readonly bench: AdapterBench };

/** A workspace with a running adapter; `before` sets the workspace up. */
export async function startSlack(
  mode: SlackMode = "socket",
  options: {
    readonly policy?: Parameters<typeof AdapterBench.start>[1];
    readonly settings?: Partial<SlackPlatform["settings"]>;
    readonly before?: (slack: SlackPlatform) => void;
  } = {},
): Promise<SlackBench> {
  const slack = await SlackPlatform.start(mode, options.settings);
  options.before?.(slack);
  try {
    const bench = await AdapterBench.start(slack, options.policy);
    return {
      slack,
      bench,
      async [Symbol.asyncDispose]() {
        await bench[Symbol.asyncDispose]();
        await slack[Symbol.asyncDispose]();
      },
    };
  } catch (reason) {
    await slack[Symbol.asyncDispose]();
    throw reason;
  }
}
