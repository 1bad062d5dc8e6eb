/** The kit on an adapter that is not ours, the example of docs/conformance.md. */
import { conformance } from "./conformance.ts";
import { AcmePlatform } from "./example/acme-platform.ts";

await conformance(() => AcmePlatform.start());
