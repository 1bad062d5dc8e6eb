/** Tokens on disk: one file for each adapter that has got one, in the state directory, for nobody else to read. */
import { open, readdir, readFile, rename, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import type { StoredToken } from "../contract/adapter.ts";
import { GatewayError } from "../contract/errors.ts";
import { errnoOf } from "../support/errno.ts";
import { parseToken } from "./parse-token.ts";
import { legacyTokenFiles, tokenFileName } from "./token-file-names.ts";

/** What a file says. */
export type TokenFile = {
  readonly token: StoredToken;
  /** When it was stored, ISO 8601. */
  readonly createdAt: string;
  /** Keyed hash of the credential in the config that it stands for; `null`: an older program's, which kept none. */
  readonly configured: string | null;
};

const longestFileBytes = 65_536;

/** The token files of one state directory. Calls must come one after the other. */
export class TokenFiles {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /**
   * What is stored for `key`, under today's name or an older one; `null`: nothing. `keys`: every configured one.
   * @throws {GatewayError} `internal` for a file that cannot be read or makes no sense.
   */
  async read(key: string, keys: ReadonlySet<string>): Promise<TokenFile | null> {
    const own = await this.#readFile(tokenFileName(key));
    if (own !== null) return own;
    const [newest] = await this.#legacyFiles(key, keys);
    return newest === undefined ? null : this.#readFile(newest);
  }

  /**
   * Stores `file` for `key`, whole or not at all, and takes away what had an older name. On disk when it resolves.
   * @throws {GatewayError} `internal` naming the system's error.
   */
  async write(key: string, keys: ReadonlySet<string>, file: TokenFile): Promise<void> {
    const path = join(this.#directory, tokenFileName(key));
    try {
      await this.#replace(path, encode(file));
      await this.#removeLegacy(key, keys);
    } catch (reason) {
      throw ioError("store", path, reason);
    }
  }

  /** Forgets `key`: the file and what had an older name. @throws {GatewayError} `internal` naming the system's error. */
  async remove(key: string, keys: ReadonlySet<string>): Promise<void> {
    const path = join(this.#directory, tokenFileName(key));
    try {
      await unlinkIfThere(path);
      await this.#removeLegacy(key, keys);
      await this.#syncDirectory();
    } catch (reason) {
      throw ioError("remove", path, reason);
    }
  }

  async #readFile(name: string): Promise<TokenFile | null> {
    const path = join(this.#directory, name);
    try {
      const { size } = await stat(path);
      if (size > longestFileBytes) throw new RangeError(`found ${size} bytes, expected ${longestFileBytes} at most`);
      return decode(await readFile(path, "utf8"));
    } catch (reason) {
      if (errnoOf(reason) === "ENOENT") return null;
      throw ioError("read", path, reason);
    }
  }

  /** The newest first. */
  async #legacyFiles(key: string, keys: ReadonlySet<string>): Promise<readonly string[]> {
    const names = legacyTokenFiles(key, await readdir(this.#directory), keys);
    const dated = await Promise.all(
      names.map(async (name) => ({ name, atMs: (await stat(join(this.#directory, name))).mtimeMs })),
    );
    return dated.toSorted((one, other) => other.atMs - one.atMs).map(({ name }) => name);
  }

  async #removeLegacy(key: string, keys: ReadonlySet<string>): Promise<void> {
    for (const name of await this.#legacyFiles(key, keys)) await unlinkIfThere(join(this.#directory, name));
  }

  /** The new bytes are on disk before they have the name, and the name before it counts. */
  async #replace(path: string, text: string): Promise<void> {
    const draft = `${path}.new`;
    // Left by a power cut, with whatever rights.
    await unlinkIfThere(draft);
    const file = await open(draft, "wx", 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
    await this.#syncDirectory();
  }

  async #syncDirectory(): Promise<void> {
    const directory = await open(this.#directory, "r");
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  }
}

async function unlinkIfThere(path: string): Promise<void> {
  await unlink(path).catch((reason: unknown) => {
    if (errnoOf(reason) !== "ENOENT") throw reason;
  });
}

function encode({ token, createdAt, configured }: TokenFile): string {
  const { accessToken, refreshToken, expiresAt } = token;
  const fields = {
    access_token: accessToken,
    refresh_token: refreshToken,
    created_at: createdAt,
    expires_at: expiresAt,
    configured,
  };
  return `${JSON.stringify(fields)}\n`;
}

/** @throws {TypeError} for what is no token file. */
function decode(text: string): TokenFile {
  const fields = parsedObject(text);
  const token = parseToken({
    accessToken: fields["access_token"],
    // An older program writes an empty one where it has none.
    refreshToken: fields["refresh_token"] === "" ? null : (fields["refresh_token"] ?? null),
    expiresAt: fields["expires_at"] ?? null,
  });
  const { created_at: createdAt, configured } = fields;
  return {
    token,
    createdAt: typeof createdAt === "string" && Number.isFinite(Date.parse(createdAt)) ? createdAt : epoch,
    configured: typeof configured === "string" ? configured : null,
  };
}

const epoch = new Date(0).toISOString();

function parsedObject(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own message quotes the text, which is a secret.
    throw new TypeError("found no JSON");
  }
  if (typeof value !== "object" || value === null) throw new TypeError("found no JSON object");
  return value as Readonly<Record<string, unknown>>;
}

function ioError(what: "read" | "store" | "remove", path: string, reason: unknown): GatewayError {
  const found = errnoOf(reason) ?? (reason instanceof Error ? reason.message : "an unknown error");
  return new GatewayError("internal", `Cannot ${what} the token file ${path}: ${found}`, {
    retry: { kind: "backoff" },
    cause: reason,
  });
}
