/** Discord against an emulator of its REST API and gateway. */
import { conformance } from "./conformance.ts";
import { DiscordPlatform } from "../emulators/discord/platform.ts";

await conformance(() => DiscordPlatform.start());
