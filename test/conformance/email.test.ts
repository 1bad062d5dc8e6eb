/** E-mail, on a real IMAP server, with a provider that keeps copies of what it sends. */
import { it } from "node:test";
import { dovecotMissing } from "../emulators/email/dovecot.ts";
import { EmailPlatform } from "../emulators/email/platform.ts";
import { conformance } from "./conformance.ts";

if (dovecotMissing === false) await conformance(() => EmailPlatform.start({ keepsCopies: true }));
else it("conformance of email", { skip: dovecotMissing });
