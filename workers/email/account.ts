/** Who we are on the mail servers and how they are reached. What must never be said is known here. */
import { GatewayError } from "../../src/contract/errors.ts";
import type { EmailSettings } from "../../src/contract/settings.ts";
import { Redactor } from "../../src/support/redact.ts";
import { comparable, isAddress } from "./addresses.ts";

/** One of the two servers. */
export type MailServer = {
  readonly host: string;
  readonly port: number;
  /** `none` is for this machine alone. */
  readonly encryption: "tls" | "starttls" | "none";
  readonly user: string;
  readonly password: string;
  /** `""`: the password counts. */
  readonly accessToken: string;
};

/** See the file's comment. */
export type MailAccount = {
  readonly imap: MailServer;
  readonly smtp: MailServer;
  readonly from: { readonly name: string; readonly address: string };
  /** Comparable; mail from one of them is our own. */
  readonly ownAddresses: ReadonlySet<string>;
  /** A server's words without our secrets: some repeat what they were sent. */
  readonly redact: (text: string) => string;
};

/** Elsewhere than on its port for plain beginnings IMAP speaks TLS from the first byte; SMTP does so on one port alone. */
const ports = { imapStartTls: 143, smtpTls: 465 } as const;

/** @throws {GatewayError} `config_invalid` where there is no address to write from. */
export function accountOf(settings: EmailSettings): MailAccount {
  const { imapUsername, smtpUsername, fromAddress, oauth2AccessToken: accessToken } = settings;
  if (!isAddress(fromAddress))
    throw new GatewayError(
      "config_invalid",
      `Cannot write mail: from_address is ${JSON.stringify(fromAddress)}, expected an address such as bot@example.com`,
      { userAction: "Set from_address of this adapter to its own address" },
    );
  const redactor = new Redactor();
  redactor.set("email", [settings.imapPassword, settings.smtpPassword, accessToken]);
  return {
    imap: {
      host: settings.imapHost,
      port: settings.imapPort,
      encryption: imapEncryption(settings),
      user: imapUsername,
      password: settings.imapPassword,
      accessToken,
    },
    smtp: {
      host: settings.smtpHost,
      port: settings.smtpPort,
      encryption: smtpEncryption(settings),
      user: smtpUsername,
      password: settings.smtpPassword,
      accessToken,
    },
    from: { name: settings.fromName, address: fromAddress },
    ownAddresses: new Set([fromAddress, imapUsername, smtpUsername].filter(isAddress).map(comparable)),
    redact: (text) => redactor.redact(text),
  };
}

function imapEncryption({ imapPort, imapUseTls }: EmailSettings): MailServer["encryption"] {
  if (!imapUseTls) return "none";
  return imapPort === ports.imapStartTls ? "starttls" : "tls";
}

function smtpEncryption({ smtpPort, smtpUseStarttls }: EmailSettings): MailServer["encryption"] {
  if (smtpPort === ports.smtpTls) return "tls";
  return smtpUseStarttls ? "starttls" : "none";
}
