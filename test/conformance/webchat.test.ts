/** The web chat, against pages that stay open. */
import { WebchatPlatform } from "../emulators/webchat/platform.ts";
import { conformance } from "./conformance.ts";

await conformance(() => WebchatPlatform.start());
