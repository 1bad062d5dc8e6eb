/** A real IMAP server of one's own: Debian's Dovecot, unprivileged, in a directory and on ports of its own. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chownSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { freePort } from "../../support/gateway-fixture.ts";

const binary = "/usr/sbin/dovecot";
/** Dovecot refuses to log people in as root, so root runs it as the package's own user. */
const packageUser = "dovecot";

/** Why it cannot run here, for a test's `skip`; `false`: it can. */
export const dovecotMissing: string | false = [binary, "/usr/lib/dovecot/imap", "/usr/lib/dovecot/lmtp"].every(
  existsSync,
)
  ? false
  : "needs Debian's dovecot-imapd and dovecot-lmtpd";

/** Of every account of {@link DovecotServer.shared}. */
export const sharedPassword = "planted-imap-password-4d1c";

/** Accounts are made as they are named, all with one password. */
export type DovecotOptions = {
  readonly password: string;
  /** PEM files; TLS from the first byte on one port, STARTTLS on the other. */
  readonly certificate?: { readonly certPath: string; readonly keyPath: string };
  /** Left out of what it says it can. */
  readonly withoutIdle?: boolean;
};

type Ports = { readonly imap: number; readonly imaps: number; readonly lmtp: number };

/** See the file's comment. Disposing ends it and removes its directory. */
export class DovecotServer implements AsyncDisposable {
  readonly ports: Ports;
  readonly #directory: string;
  readonly #process: ChildProcess;
  readonly #exited: Promise<void>;

  private constructor(parts: { readonly ports: Ports; readonly directory: string; readonly process: ChildProcess }) {
    this.ports = parts.ports;
    this.#directory = parts.directory;
    this.#process = parts.process;
    this.#exited = new Promise((resolve) => parts.process.once("exit", () => resolve()));
  }

  /** Resolves when it listens. */
  static async start(options: DovecotOptions): Promise<DovecotServer> {
    const ports = { imap: await freePort(), imaps: await freePort(), lmtp: await freePort() };
    const directory = mkdtempSync(join(tmpdir(), "bulkhead-dovecot-"));
    const isRoot = userInfo().uid === 0;
    const user = isRoot ? packageUser : userInfo().username;
    for (const name of ["run", "mail"]) mkdirSync(join(directory, name));
    const configPath = join(directory, "dovecot.conf");
    writeFileSync(configPath, configOf({ ...options, directory, user, ports }));
    const ids = isRoot ? idsOf(packageUser) : null;
    if (ids !== null) for (const name of ["", "run", "mail"]) chownSync(join(directory, name), ids.uid, ids.gid);
    // It must not outlive a test that was killed.
    const privileges = ids === null ? [] : [`--reuid=${ids.uid}`, `--regid=${ids.gid}`, "--clear-groups"];
    const parameters = ["--pdeathsig=TERM", ...privileges, binary, "-F", "-c", configPath];
    const child = spawn("setpriv", parameters, { stdio: ["ignore", "ignore", "pipe"] });
    const server = new DovecotServer({ ports, directory, process: child });
    try {
      await listening(child);
      return server;
    } catch (reason) {
      await server[Symbol.asyncDispose]();
      throw reason;
    }
  }

  /** One for the whole process, each of whose users has an account of his own: Dovecot takes a second to end. */
  static shared(): Promise<DovecotServer> {
    sharedServer ??= DovecotServer.start({ password: sharedPassword }).then((server) => {
      server.#process.unref();
      (server.#process.stderr as unknown as { unref(): void }).unref();
      process.on("exit", () => server.#end());
      return server;
    });
    return sharedServer;
  }

  /** `doveadm`, which does to a mailbox what no client may. */
  administer(...parameters: readonly string[]): string {
    return execFileSync("doveadm", ["-c", join(this.#directory, "dovecot.conf"), ...parameters], { encoding: "utf8" });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    this.#end();
    await this.#exited;
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #end(): void {
    this.#process.kill("SIGTERM");
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

let sharedServer: Promise<DovecotServer> | null = null;

/** Its listeners are open before it says that it starts up. */
async function listening(child: ChildProcess): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const lines: string[] = [];
  if (child.stderr === null) throw new TypeError("Dovecot has no standard error");
  createInterface({ input: child.stderr }).on("line", (line) => {
    lines.push(line);
    if (line.includes("starting up")) resolve();
  });
  child.once("error", reject);
  child.once("exit", (code) => reject(new Error(`Dovecot ended with ${String(code)}: ${lines.join("\n")}`)));
  await promise;
}

function idsOf(user: string): { readonly uid: number; readonly gid: number } {
  const id = (flag: string): number => Number(execFileSync("id", [flag, user], { encoding: "utf8" }));
  return { uid: id("-u"), gid: id("-g") };
}

type ConfigParts = DovecotOptions & { readonly directory: string; readonly user: string; readonly ports: Ports };

function configOf({ directory, user, ports, password, certificate, withoutIdle }: ConfigParts): string {
  const run = join(directory, "run");
  const tls =
    certificate === undefined
      ? "ssl = no"
      : `ssl = yes\nssl_cert = <${certificate.certPath}\nssl_key = <${certificate.keyPath}`;
  const capability = withoutIdle === true ? "imap_capability = IMAP4rev1 LITERAL+ UIDPLUS ESEARCH" : "";
  return `
protocols = imap lmtp
base_dir = ${run}
state_dir = ${run}
log_path = /dev/stderr
listen = 127.0.0.1
default_internal_user = ${user}
default_internal_group = ${user}
default_login_user = ${user}
${tls}
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
first_valid_uid = 0
mail_uid = ${user}
mail_gid = ${user}
mail_location = maildir:${join(directory, "mail")}/%u
mail_fsync = never
mail_max_userip_connections = 100
${capability}
lda_mailbox_autocreate = yes
passdb {
  driver = static
  args = password={PLAIN}${password}
}
userdb {
  driver = static
  args = home=${join(directory, "mail")}/%u
}
service anvil {
  chroot =
}
service imap-login {
  chroot =
  service_count = 0
  process_min_avail = 1
  inet_listener imap {
    port = ${ports.imap}
  }
  inet_listener imaps {
    port = ${certificate === undefined ? 0 : ports.imaps}
    ssl = yes
  }
}
service imap {
  process_min_avail = 1
}
service lmtp {
  process_min_avail = 1
  inet_listener lmtp {
    port = ${ports.lmtp}
  }
}
`;
}
