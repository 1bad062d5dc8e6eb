/**
 * What an adapter host may do under Node's permission model: use the network, read the program and its packages, read its
 * adapters' own modules and their packages, write where attachments are handed over. Nothing else: no config, no journal,
 * no child process, no native addon. A hardening layer, not a boundary: Node itself says so.
 */
import { mkdir, readdir, realpath } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { GatewayError } from "../contract/errors.ts";
import { isWithin, packagesAround } from "./packages-around.ts";

/** A folder with more entries than this cannot be granted piece by piece. */
const mostEntries = 2_000;
/** Beside a config it holds what the config must not: never an adapter's to read. */
const environmentFile = /^\.env(?:\.|$)/u;

/** Where things are. All absolute. */
export type GrantPlaces = {
  /** The host's entry, a file URL: the program is around it. */
  readonly hostEntryUrl: string;
  /** Never readable, even where an adapter's module lies beside it: the config, the state directory, the secrets. */
  readonly privatePaths: () => readonly string[];
  /** Where adapters may write files. */
  readonly writablePaths: readonly string[];
  /** An empty folder, made if need be: threads may read the one that their process works in, whatever else they may. */
  readonly workingDirectory: string;
};

/** Paths that may be read, each with all that is below it. */
export type ReadGrants = ReadonlySet<string>;

/** The grants of one gateway's hosts. */
export class HostGrants {
  readonly #places: GrantPlaces;
  readonly #programFolders: readonly string[];
  #program: Promise<ReadGrants> | null = null;

  constructor(places: GrantPlaces) {
    this.#places = places;
    const workers = dirname(fileURLToPath(places.hostEntryUrl));
    this.#programFolders = [workers, join(dirname(workers), "src")];
  }

  /** Whether this Node can confine a host so that it can still use the network. */
  static get isSupported(): boolean {
    return process.allowedNodeEnvironmentFlags.has("--allow-net");
  }

  /**
   * What a module needs beyond the program: nothing for one of ours.
   * @throws {GatewayError} `config_invalid` when the folder it lies in cannot be granted without what is private.
   */
  async ofModule(moduleUrl: string): Promise<ReadGrants> {
    const path = fileURLToPath(moduleUrl);
    if (this.#programFolders.some((folder) => isWithin(path, folder))) return new Set();
    // Node follows the links in a module's path, and asks for both.
    const paths = await namesOf(path);
    const privatePaths = (await Promise.all(this.#places.privatePaths().map(namesOf))).flat();
    const granted = new Set<string>();
    for (const each of new Set(paths)) {
      for (const folder of await publicPartsOf(dirname(each), privatePaths)) granted.add(folder);
      for (const found of await packagesAround(dirname(each))) granted.add(found);
    }
    return granted;
  }

  /** The flags of a host that may read the program and `grants`, and the folder it must be started in. */
  async processOptions(grants: ReadGrants): Promise<{ readonly flags: readonly string[]; readonly cwd: string }> {
    const { workingDirectory, writablePaths } = this.#places;
    await mkdir(workingDirectory, { recursive: true, mode: 0o700 });
    this.#program ??= this.#ofProgram();
    const readable = new Set([...(await this.#program), ...grants]);
    return {
      cwd: workingDirectory,
      flags: [
        "--permission",
        "--allow-net",
        "--allow-worker",
        // Two of the model's own, at every start.
        "--disable-warning=PERM0006",
        "--disable-warning=ExperimentalWarning",
        ...[...readable].map((path) => `--allow-fs-read=${path}`),
        ...writablePaths.map((path) => `--allow-fs-write=${path}`),
      ],
    };
  }

  async #ofProgram(): Promise<ReadGrants> {
    const [workers = ""] = this.#programFolders;
    return new Set([...this.#programFolders, ...(await packagesAround(workers))]);
  }
}

/**
 * `folder`, or all that is in it but for what is private. Links count as what they lead to, since Node follows a link that
 * may be read wherever it leads. `inside`: the folders on the way here, as they really are, so that links in a circle end.
 */
async function publicPartsOf(
  folder: string,
  privatePaths: readonly string[],
  inside: readonly string[] = [],
): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => []);
  const isMixed = isAnyWithin(privatePaths, await namesOf(folder)) || names.some((name) => environmentFile.test(name));
  if (!isMixed) return [folder];
  if (names.length > mostEntries)
    throw new GatewayError(
      "config_invalid",
      `Cannot let an adapter read ${folder}: it has ${names.length} entries, private ones among them`,
      { userAction: "Put the adapter's module into a folder of its own" },
    );
  const way = [...inside, await realpath(folder).catch(() => folder)];
  const granted: string[] = [];
  for (const name of names) {
    const path = join(folder, name);
    const [, real] = await namesOf(path);
    const isPrivate = [path, real].some(
      (each) => environmentFile.test(basename(each)) || privatePaths.some((other) => isWithin(each, other)),
    );
    if (isPrivate || way.includes(real)) continue;
    const isParent = isAnyWithin(privatePaths, [path, real]);
    granted.push(...(isParent ? await publicPartsOf(path, privatePaths, way) : [path]));
  }
  return granted;
}

function isAnyWithin(paths: readonly string[], folders: readonly string[]): boolean {
  return paths.some((path) => folders.some((folder) => isWithin(path, folder)));
}

/** A path as it is given, and as it really is: config and state may be reached by links, as mounts and releases are laid out. */
async function namesOf(path: string): Promise<readonly [given: string, real: string]> {
  return [path, await realpath(path).catch(() => path)];
}
