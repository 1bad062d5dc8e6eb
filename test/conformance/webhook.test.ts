/** The webhook, against a program that posts to it. */
import { WebhookPlatform } from "../emulators/webhook/platform.ts";
import { conformance } from "./conformance.ts";

await conformance(() => WebhookPlatform.start());
