/** The vault of renewed tokens, joined to the config, the supervisors and the redactor. */
import { createHmac } from "node:crypto";
import type { Config } from "../contract/config.ts";
import type { Logger } from "../support/logger.ts";
import type { Redactor } from "../support/redact.ts";
import { TokenFiles } from "../tokens/token-files.ts";
import { TokenVault } from "../tokens/token-vault.ts";
import type { Supervision } from "./supervision.ts";

/** `supervision` is asked once there are adapters, which is after the vault is made. */
export function createTokenVault(parts: {
  readonly config: Pick<Config, "gateway">;
  readonly foundation: { readonly installKey: Uint8Array };
  readonly redactor: Redactor;
  readonly supervision: () => Pick<Supervision, "credentialOf"> & {
    readonly adapters: { generation(key: string): number | null };
  };
  readonly logger: Logger;
}): TokenVault {
  const { config, foundation, redactor, supervision, logger } = parts;
  return new TokenVault({
    files: new TokenFiles(config.gateway.stateDir),
    credentialOf: (key) => supervision().credentialOf(key),
    digest: (text) => createHmac("sha256", foundation.installKey).update(text).digest("base64url"),
    isLive: ({ key, generation }) => supervision().adapters.generation(key) === generation,
    learn: (key, secrets) => redactor.set(key, secrets),
    logger,
  });
}

/** Every key that a config names, also what is switched off or wrong: what it was given is kept. */
export function configuredKeys(config: Pick<Config, "adapters" | "invalid" | "disabledKeys">): ReadonlySet<string> {
  return new Set([...config.adapters, ...config.invalid].map(({ key }) => key).concat(config.disabledKeys));
}
