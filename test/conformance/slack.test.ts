/** Slack, in both of its modes, against an emulated workspace. */
import { SlackPlatform } from "../emulators/slack/platform.ts";
import { conformance } from "./conformance.ts";

await conformance(() => SlackPlatform.start("socket"));
await conformance(() => SlackPlatform.start("http"));
