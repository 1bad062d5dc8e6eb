import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import type { SMTPServerOptions } from "smtp-server";
import { GatewayError } from "../../../src/contract/errors.ts";
import type { EmailSettings } from "../../../src/contract/settings.ts";
import { accountOf, type MailAccount, type MailServer } from "../../../workers/email/account.ts";
import { ImapConnection } from "../../../workers/email/imap-connection.ts";
import { MailSender } from "../../../workers/email/mail-sender.ts";
import { FaultBoard } from "../../emulators/fault-board.ts";
import { opensslMissing, TestCertificate } from "../../emulators/email/certificate.ts";
import { DovecotServer, dovecotMissing } from "../../emulators/email/dovecot.ts";
import { ImapProxy } from "../../emulators/email/imap-proxy.ts";
import { MailTransferAgent } from "../../emulators/email/mail-transfer-agent.ts";

const user = "bot@mail.example";
const password = "planted-tls-password-77aa";
const settings: EmailSettings = {
  imapHost: "localhost",
  imapPort: 993,
  imapUsername: user,
  imapPassword: password,
  imapUseTls: true,
  smtpHost: "localhost",
  smtpPort: 587,
  smtpUsername: user,
  smtpPassword: password,
  smtpUseStarttls: true,
  fromAddress: user,
  fromName: "",
  oauth2AccessToken: "",
  pollIntervalSecs: 30,
  folders: ["INBOX"],
  markSeen: true,
};

function accountWith(server: "imap" | "smtp", fields: Partial<MailServer>): MailAccount {
  const account = accountOf(settings);
  return { ...account, [server]: { ...account[server], ...fields } };
}

async function failure(run: Promise<unknown>): Promise<GatewayError> {
  const error = await run.then(
    () => null,
    (reason: unknown) => GatewayError.from(reason),
  );
  assert.ok(error !== null, "it was allowed");
  return error;
}

/** Logs in and out. */
async function logIn(account: MailAccount): Promise<void> {
  const nothing = (): void => {};
  const signal = AbortSignal.timeout(20_000);
  using _connection = await ImapConnection.open(account, { onFrame: nothing, onNews: nothing, signal });
}

/** Sends a mail through a server with these options; the passwords that it was given. */
async function send(encryption: MailServer["encryption"], options: SMTPServerOptions): Promise<readonly string[]> {
  const server = { ...options };
  await using agent = await MailTransferAgent.start({ user, password, faults: new FaultBoard(), server });
  using sender = new MailSender(accountWith("smtp", { port: agent.port, encryption }));
  try {
    await sender.send(Buffer.from("Subject: x\r\n\r\nhello\r\n"), { to: "a@b.c", signal: AbortSignal.timeout(20_000) });
    assert.equal(agent.taken.items.length, 1);
  } catch (reason) {
    throw Object.assign(GatewayError.from(reason), { logins: agent.logins.items });
  }
  return agent.logins.items;
}

describe("accountOf()", () => {
  const rows: readonly (readonly [
    string,
    Partial<EmailSettings>,
    MailServer["encryption"],
    MailServer["encryption"],
  ])[] = [
    ["the usual ports", {}, "tls", "starttls"],
    ["port 143", { imapPort: 143 }, "starttls", "starttls"],
    ["port 465", { smtpPort: 465 }, "tls", "tls"],
    ["port 465 without STARTTLS", { smtpPort: 465, smtpUseStarttls: false }, "tls", "tls"],
    ["servers of this machine", { imapUseTls: false, smtpUseStarttls: false, imapPort: 143 }, "none", "none"],
  ];
  for (const [what, fields, imap, smtp] of rows)
    it(`encrypts as it should on ${what}`, () => {
      const account = accountOf({ ...settings, ...fields });
      assert.deepEqual([account.imap.encryption, account.smtp.encryption], [imap, smtp]);
    });

  it("needs an address to write from", () => {
    assert.throws(
      () => accountOf({ ...settings, fromAddress: "bot" }),
      (reason: GatewayError) => reason.code === "config_invalid" && (reason.userAction ?? "").includes("from_address"),
    );
  });
});

describe("TLS", { skip: dovecotMissing || opensslMissing }, () => {
  const certificate = opensslMissing === false ? new TestCertificate("localhost") : null;
  const usual = getCACertificates("default");
  let dovecot: DovecotServer;

  before(async () => {
    assert.ok(certificate !== null);
    setDefaultCACertificates([...usual, certificate.authority]);
    dovecot = await DovecotServer.start({ password, certificate });
  });
  after(async () => {
    setDefaultCACertificates(usual);
    certificate?.[Symbol.dispose]();
    await dovecot[Symbol.asyncDispose]();
  });

  const tls = (): SMTPServerOptions => ({
    cert: readFileSync(certificate?.certPath ?? ""),
    key: readFileSync(certificate?.keyPath ?? ""),
  });

  it("from the first byte carries a login to IMAP and a mail by SMTP", async () => {
    await logIn(accountWith("imap", { port: dovecot.ports.imaps, encryption: "tls" }));
    assert.deepEqual(await send("tls", { ...tls(), secure: true, needsUpgrade: true }), [password]);
  });

  it("after STARTTLS carries a login to IMAP and a mail by SMTP", async () => {
    await logIn(accountWith("imap", { port: dovecot.ports.imap, encryption: "starttls" }));
    assert.deepEqual(await send("starttls", tls()), [password]);
  });

  it("that a server does not offer is not done without: no password is said", async () => {
    await using proxy = await ImapProxy.start(dovecot.ports.imap, new FaultBoard());
    proxy.rewrite = (bytes) => Buffer.from(bytes.toString("latin1").replaceAll(" STARTTLS", ""), "latin1");
    const lines: string[] = [];
    proxy.rewriteCommand = (line) => {
      lines.push(line);
      return line;
    };
    const error = await failure(logIn(accountWith("imap", { port: proxy.port, encryption: "starttls" })));
    assert.equal(error.code, "platform_unavailable", error.message);
    assert.doesNotMatch(lines.join(""), /AUTHENTICATE|LOGIN/u);
    const refused = await failure(send("starttls", { disabledCommands: ["STARTTLS"] }));
    assert.equal(refused.code, "platform_unavailable", refused.message);
    assert.deepEqual((refused as GatewayError & { logins: readonly string[] }).logins, []);
  });

  it("with a certificate for somebody else, or by nobody we know, is none", async () => {
    const byAddress = await failure(logIn(accountWith("imap", { host: "127.0.0.1", port: dovecot.ports.imaps })));
    assert.equal(byAddress.code, "platform_unavailable", byAddress.message);
    setDefaultCACertificates(usual);
    try {
      const unknown = await failure(logIn(accountWith("imap", { port: dovecot.ports.imaps })));
      assert.match(unknown.userAction ?? "", /certificate/u, unknown.message);
      assert.equal((await failure(send("starttls", tls()))).code, "platform_unavailable");
    } finally {
      setDefaultCACertificates([...usual, certificate?.authority ?? ""]);
    }
  });
});
