/** The web chat, against pages that stay open. */
import { WebchatPlatform } from "../emulators/webchat/platform.ts";
import { conformance } from "./conformance.ts";

conformance(() => WebchatPlatform.start());
