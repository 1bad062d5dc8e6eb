/** `env:NAME`, `file:/path` and `secret:NAME`: resolved anew at every load, so that a rotated secret is seen. */
import { readFile, stat } from "node:fs/promises";
import path from "node:path";
import { joinPath, type Issue } from "./issue.ts";

/** What a text stands for, or what is missing. */
export type Resolved = { readonly ok: true; readonly value: string } | { readonly ok: false; readonly problem: string };

/** What a resolver reads from. */
export type ReferenceSources = {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** `file:` paths are relative to it. */
  readonly baseDir: string;
  /** `[secrets] dir`; `null`: unset. */
  readonly secretsDir: string | null;
  readonly signal?: AbortSignal;
};

const largestFileBytes = 65_536;
const kinds = ["env:", "file:", "secret:"] as const;

/** Whether `text` is a reference rather than the value itself. */
export function isReference(text: string): boolean {
  return kinds.some((kind) => text.startsWith(kind));
}

/** Resolves the references of one load; each file is read once. */
export class ReferenceResolver {
  readonly #sources: ReferenceSources;
  readonly #files = new Map<string, Promise<Resolved>>();

  constructor(sources: ReferenceSources) {
    this.#sources = sources;
  }

  /** Files that were read so far. */
  get files(): readonly string[] {
    return [...this.#files.keys()];
  }

  /** `text` itself where it is no reference. Never rejects but for the signal; an empty value counts as missing. */
  async resolve(text: string): Promise<Resolved> {
    const kind = kinds.find((candidate) => text.startsWith(candidate));
    if (kind === undefined) return { ok: true, value: text };
    const name = text.slice(kind.length);
    if (kind === "env:") return this.#environmentVariable(name);
    if (kind === "secret:") return this.#secret(name);
    if (name === "") return { ok: false, problem: 'found "file:", expected a path after it' };
    return this.#file(path.resolve(this.#sources.baseDir, name), `file ${name}`);
  }

  #environmentVariable(name: string): Resolved {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/u.test(name))
      return { ok: false, problem: "found env: without a variable name, expected env:NAME" };
    const value = this.#sources.environment[name];
    if (value === undefined) return { ok: false, problem: `environment variable ${name} is not set` };
    if (value === "") return { ok: false, problem: `environment variable ${name} is empty` };
    return { ok: true, value };
  }

  async #secret(name: string): Promise<Resolved> {
    const { secretsDir } = this.#sources;
    if (secretsDir === null)
      return { ok: false, problem: "found secret:NAME, expected [secrets] dir to say where secrets are" };
    // One path segment: a name must not reach out of the folder.
    if (!/^[A-Za-z0-9_.-]+$/u.test(name) || /^\.+$/u.test(name))
      return { ok: false, problem: "found secret: without a file name, expected secret:NAME" };
    return this.#file(path.join(secretsDir, name), `secret ${name}`);
  }

  async #file(file: string, what: string): Promise<Resolved> {
    const known = this.#files.get(file);
    if (known !== undefined) return known;
    const reading = this.#read(file, what);
    this.#files.set(file, reading);
    return reading;
  }

  async #read(file: string, what: string): Promise<Resolved> {
    const { signal } = this.#sources;
    try {
      // A pipe or a device would never end.
      const found = await stat(file);
      if (!found.isFile()) return { ok: false, problem: `${what} is not a file` };
      if (found.size > largestFileBytes)
        return { ok: false, problem: `${what} has ${found.size} bytes, expected at most ${largestFileBytes}` };
      const content = await readFile(file, { encoding: "utf8", ...(signal === undefined ? {} : { signal }) });
      const value = content.replace(/\r?\n$/u, "");
      return value === "" ? { ok: false, problem: `${what} is empty` } : { ok: true, value };
    } catch (reason) {
      signal?.throwIfAborted();
      return { ok: false, problem: `${what} cannot be read: ${systemErrorText(reason)}` };
    }
  }
}

/** A file system error in words, without the path. */
export function systemErrorText(reason: unknown): string {
  const code = reason instanceof Error && "code" in reason ? String(reason.code) : "";
  if (code === "ENOENT") return "no such file";
  if (code === "EACCES" || code === "EPERM") return "permission denied";
  if (code === "EISDIR") return "it is a folder";
  return code === "" ? "unknown error" : code;
}

/** `value` with every reference in it resolved, at any depth. */
export async function resolveDeep(
  resolver: ReferenceResolver,
  value: unknown,
  base: string,
): Promise<{ readonly value: unknown; readonly secrets: readonly string[]; readonly issues: readonly Issue[] }> {
  const secrets: string[] = [];
  const issues: Issue[] = [];
  async function walk(current: unknown, at: string): Promise<unknown> {
    if (typeof current === "string") {
      if (!isReference(current)) return current;
      const resolved = await resolver.resolve(current);
      if (resolved.ok) secrets.push(resolved.value);
      else issues.push({ path: at, message: resolved.problem });
      return resolved.ok ? resolved.value : null;
    }
    if (Array.isArray(current)) return Promise.all(current.map((entry, index) => walk(entry, joinPath(at, index))));
    if (typeof current !== "object" || current === null) return current;
    const entries = Object.entries(current).map(async ([key, entry]): Promise<[string, unknown]> => [
      key,
      await walk(entry, joinPath(at, key)),
    ]);
    return Object.fromEntries(await Promise.all(entries));
  }
  return { value: await walk(value, base), secrets, issues };
}
