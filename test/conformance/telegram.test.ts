/** Telegram, polled and with a webhook. */
import { TelegramPlatform } from "../emulators/telegram/platform.ts";
import { conformance } from "./conformance.ts";

await conformance(() => TelegramPlatform.start("polling"));
await conformance(() => TelegramPlatform.start("webhook"));
