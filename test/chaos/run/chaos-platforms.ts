/** Every platform there is, emulated, each under its runtime key. */
import type { EmulatedPlatform } from "../../conformance/emulated-platform.ts";
import { DiscordPlatform } from "../../emulators/discord/platform.ts";
import { SlackPlatform } from "../../emulators/slack/platform.ts";
import { TelegramPlatform } from "../../emulators/telegram/platform.ts";
import { WebchatPlatform } from "../../emulators/webchat/platform.ts";
import { WebhookPlatform } from "../../emulators/webhook/platform.ts";

/** One of them. */
export type ChaosPlatform = { readonly key: string; readonly emulated: EmulatedPlatform };

/** All of them; disposed on `stack`. */
export async function startPlatforms(stack: AsyncDisposableStack): Promise<readonly ChaosPlatform[]> {
  const started: readonly EmulatedPlatform[] = await Promise.all([
    DiscordPlatform.start(),
    SlackPlatform.start("socket"),
    TelegramPlatform.start("polling"),
    WebchatPlatform.start(),
    WebhookPlatform.start(),
  ]);
  return started.map((emulated) => {
    stack.use(emulated);
    return { key: emulated.platform, emulated };
  });
}
