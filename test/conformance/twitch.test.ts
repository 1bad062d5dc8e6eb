/** Twitch's chat, with a token that can be renewed. */
import { TwitchPlatform } from "../emulators/twitch/platform.ts";
import { conformance } from "./conformance.ts";

await conformance(() => TwitchPlatform.start());
