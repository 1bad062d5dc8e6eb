/** Certificates for a server of one's own, and the authority that signed them, made anew for each test. */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Why none can be made, for a test's `skip`; `false`: they can. */
export const opensslMissing = ((): string | false => {
  try {
    execFileSync("openssl", ["version"], { stdio: "ignore" });
    return false;
  } catch {
    return "needs openssl";
  }
})();

/** PEM files and what is in them. Disposing removes them. */
export class TestCertificate implements Disposable {
  readonly certPath: string;
  readonly keyPath: string;
  /** Of the authority. */
  readonly authority: string;
  readonly #directory = mkdtempSync(join(tmpdir(), "bulkhead-certificate-"));

  /** @param name the host that it is valid for. */
  constructor(name: string) {
    const path = (file: string): string => join(this.#directory, file);
    const openssl = (...parameters: readonly string[]): void =>
      void execFileSync("openssl", parameters, { cwd: this.#directory, stdio: "ignore" });
    const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"] as const;
    openssl(
      "req",
      "-x509",
      ...newKey,
      "-keyout",
      "ca.key",
      "-out",
      "ca.pem",
      "-days",
      "2",
      "-subj",
      "/CN=Test authority",
    );
    openssl("req", ...newKey, "-keyout", "server.key", "-out", "server.csr", "-subj", `/CN=${name}`);
    writeFileSync(path("names"), `subjectAltName=DNS:${name}`);
    const authority = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"] as const;
    openssl("x509", "-req", "-in", "server.csr", ...authority, "-out", "server.pem", "-days", "2", "-extfile", "names");
    this.certPath = path("server.pem");
    this.keyPath = path("server.key");
    this.authority = readFileSync(path("ca.pem"), "utf8");
    // A server that is not root reads them too.
    chmodSync(this.#directory, 0o755);
    chmodSync(this.keyPath, 0o644);
  }

  [Symbol.dispose](): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
