/**
 * Tokens that platforms give in place of the configured ones. Adapters renew them in their own threads; here one of them at a time
 * is let through per credential, and what it got is on disk before it is used: a refresh token may be good for one use only.
 */
import type { StoredToken } from "../contract/adapter.ts";
import { GatewayError } from "../contract/errors.ts";
import type { Logger } from "../support/logger.ts";
import { Turns } from "../support/turns.ts";
import { parseToken } from "./parse-token.ts";
import type { TokenFile, TokenFiles } from "./token-files.ts";
import { TokenLocks, type Holder } from "./token-locks.ts";

/** What a vault works with. */
export type TokenVaultParts = {
  readonly files: Pick<TokenFiles, "read" | "write" | "remove">;
  /** A fingerprint of what the adapter logs in with: two adapters with one credential share its lock. */
  readonly credentialOf: (key: string) => string;
  /** A hash with this installation's key. */
  readonly digest: (text: string) => string;
  readonly isLive: (holder: Holder) => boolean;
  /** From now on these are secrets of `key`. */
  readonly learn: (key: string, secrets: readonly string[]) => void;
  readonly logger: Logger;
};

/** Below what a thread waits for an answer: a lock that is granted to nobody would stay. */
const longestWaitMs = 30_000;
const longestConfiguredCharacters = 65_536;

/** The tokens of one gateway's adapters. */
export class TokenVault implements AsyncDisposable {
  readonly #parts: TokenVaultParts;
  readonly #locks: TokenLocks;
  /** By credential: what was stored in this life, whichever of its adapters did it. */
  readonly #latest = new Map<string, TokenFile>();
  /** Who has a lock, with the hash of the configured credential that its token stands for. */
  readonly #holders = new Map<string, { readonly holder: Holder; readonly configured: string }>();
  #keys: ReadonlySet<string> = new Set();
  #removed: ReadonlySet<string> = new Set();
  /** One file operation after the other; one that fails stops none. */
  readonly #turns = new Turns();

  constructor(parts: TokenVaultParts) {
    this.#parts = parts;
    this.#locks = new TokenLocks(parts.isLive);
  }

  /**
   * Waits until the generation has its credential to itself, then answers with what is stored for it; `null`: nothing that
   * stands for the credential as it is configured now.
   * @throws {GatewayError} `invalid_request`, `timeout`, `conflict`, `queue_full`.
   */
  async lock(origin: Holder, args: unknown): Promise<{ readonly value: StoredToken | null }> {
    const { configured } = (args ?? {}) as Record<string, unknown>;
    if (typeof configured !== "string" || configured.length > longestConfiguredCharacters)
      throw new GatewayError("invalid_request", "Cannot lock a token: configured is not a text of a sensible length");
    const credential = this.#parts.credentialOf(origin.key);
    await this.#locks.acquire(credential, origin, longestWaitMs);
    try {
      const digest = this.#parts.digest(configured);
      const file = await this.#turns.take(() => this.#load(origin.key, credential, digest));
      this.#holders.set(nameOf(origin), { holder: origin, configured: digest });
      return { value: file?.token ?? null };
    } catch (reason) {
      this.#locks.release(origin);
      throw reason;
    }
  }

  /**
   * Resolves when the token is on disk.
   * @throws {GatewayError} `invalid_request`, `conflict` without the lock, `internal` when it cannot be written.
   */
  async store(origin: Holder, args: unknown): Promise<{ readonly value: null }> {
    const token = parsed(args);
    const credential = this.#locks.heldBy(origin);
    const configured = this.#holders.get(nameOf(origin))?.configured;
    if (credential === null || configured === undefined)
      throw new GatewayError("conflict", `Cannot store a token of ${origin.key}: this generation has not locked it`);
    this.#learn(origin.key, token);
    const file = { token, createdAt: new Date().toISOString(), configured };
    await this.#turns.take(async () => {
      if (this.#removed.has(origin.key))
        throw new GatewayError("adapter_unavailable", `Cannot store a token of ${origin.key}: it left the config`);
      // Before it is on disk: where it cannot be written it is all there is, for the next generation too.
      this.#latest.set(credential, file);
      await this.#parts.files.write(origin.key, this.#keys, file);
    });
    return { value: null };
  }

  /** The generation is done with it. */
  unlock(origin: Holder): { readonly value: null } {
    this.#locks.release(origin);
    this.#holders.delete(nameOf(origin));
    return { value: null };
  }

  /** Some generation ended: what it held is free. */
  generationsChanged(): void {
    this.#locks.releaseDead();
    for (const [name, { holder }] of this.#holders) if (!this.#parts.isLive(holder)) this.#holders.delete(name);
  }

  /** Which keys the config has now, switched off and wrong ones included. What has left it is forgotten, on disk too. */
  configure(keys: ReadonlySet<string>): void {
    const gone = [...this.#keys].filter((key) => !keys.has(key));
    this.#removed = new Set([...this.#removed, ...gone].filter((key) => !keys.has(key)));
    this.#keys = keys;
    for (const key of gone) void this.#remove(key);
  }

  /** What is being written is finished. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#turns.take(async () => {});
  }

  async #remove(key: string): Promise<void> {
    try {
      await this.#turns.take(() => this.#parts.files.remove(key, this.#keys));
    } catch (reason) {
      this.#parts.logger.warn("token-file-not-removed", { key, error: GatewayError.from(reason).message });
    }
  }

  /** A token of another configured credential than today's is none: the config wins. */
  async #load(key: string, credential: string, configured: string): Promise<TokenFile | null> {
    const stored = await this.#read(key);
    const own = stored !== null && (stored.configured ?? configured) === configured ? stored : null;
    const shared = this.#latest.get(credential);
    // What was stored in this life is newer than any file, whatever the clock says.
    const file = shared?.configured === configured ? shared : own;
    if (file === null) return null;
    this.#learn(key, file.token);
    // From an older program: from now on a change of the config shows.
    if (file.configured === null) await this.#adopt(key, { ...file, configured });
    return file;
  }

  /** One that cannot be written is taken over by the next lock: it can be used all the same. */
  async #adopt(key: string, file: TokenFile): Promise<void> {
    try {
      await this.#parts.files.write(key, this.#keys, file);
    } catch (reason) {
      this.#parts.logger.warn("token-file-not-adopted", { key, error: GatewayError.from(reason).message });
    }
  }

  /** A file that cannot be read is as good as none: the configured credential is tried, and a person told. */
  async #read(key: string): Promise<TokenFile | null> {
    try {
      return await this.#parts.files.read(key, this.#keys);
    } catch (reason) {
      this.#parts.logger.warn("token-file-unreadable", { key, error: GatewayError.from(reason).message });
      return null;
    }
  }

  #learn(key: string, { accessToken, refreshToken }: StoredToken): void {
    this.#parts.learn(key, refreshToken === null ? [accessToken] : [accessToken, refreshToken]);
  }
}

function parsed(args: unknown): StoredToken {
  try {
    return parseToken((args as { readonly token?: unknown } | null)?.token);
  } catch (reason) {
    throw new GatewayError("invalid_request", `Cannot store a token: ${(reason as TypeError).message}`);
  }
}

function nameOf({ key, generation }: Holder): string {
  return `${key} ${generation}`;
}
