/** Telegram, polled and with a webhook. */
import { describe } from "node:test";
import { TelegramPlatform } from "../emulators/telegram/platform.ts";
import { conformance } from "./conformance.ts";

describe("telegram (long polling)", () => conformance(() => TelegramPlatform.start("polling")));
describe("telegram (webhook)", () => conformance(() => TelegramPlatform.start("webhook")));
