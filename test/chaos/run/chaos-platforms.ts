/** Every platform there is, emulated or, where it can be had, real; each under its runtime key. */
import type { EmulatedPlatform } from "../../conformance/emulated-platform.ts";
import { DiscordPlatform } from "../../emulators/discord/platform.ts";
import { dovecotMissing } from "../../emulators/email/dovecot.ts";
import { EmailPlatform } from "../../emulators/email/platform.ts";
import { SlackPlatform } from "../../emulators/slack/platform.ts";
import { TelegramPlatform } from "../../emulators/telegram/platform.ts";
import { TwitchPlatform } from "../../emulators/twitch/platform.ts";
import { WebchatPlatform } from "../../emulators/webchat/platform.ts";
import { WebhookPlatform } from "../../emulators/webhook/platform.ts";

/** One of them. */
export type ChaosPlatform = { readonly key: string; readonly emulated: EmulatedPlatform };

/** Why e-mail is left out here; `null`: it is not. */
export function whyNoEmail(): string | null {
  return dovecotMissing === false ? null : `e-mail ${dovecotMissing}`;
}

/** All of them that this machine has; disposed on `stack`. */
export async function startPlatforms(stack: AsyncDisposableStack): Promise<readonly ChaosPlatform[]> {
  const started: readonly EmulatedPlatform[] = await Promise.all([
    DiscordPlatform.start(),
    SlackPlatform.start("socket"),
    TelegramPlatform.start("polling"),
    startTwitch(),
    WebchatPlatform.start(),
    WebhookPlatform.start(),
    ...(whyNoEmail() === null ? [EmailPlatform.start({ keepsCopies: true })] : []),
  ]);
  return started.map((emulated) => {
    stack.use(emulated);
    return { key: emulated.platform, emulated };
  });
}

/** The bot moderates its channels: Twitch lets it say less than it is asked here where it does not. */
async function startTwitch(): Promise<TwitchPlatform> {
  const twitch = await TwitchPlatform.start();
  for (const { moderators } of twitch.service.world.channels.values()) moderators.add(twitch.settings.username);
  return twitch;
}
