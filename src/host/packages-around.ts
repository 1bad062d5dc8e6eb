/** What Node looks at around a module: every `package.json` and every folder of packages above it, wherever links lead. */
import { access, lstat, readdir, realpath } from "node:fs/promises";
import { dirname, join, sep } from "node:path";

/** Absolute paths; a folder stands for all that is below it. */
export async function packagesAround(folder: string): Promise<readonly string[]> {
  const found = new Set<string>();
  await collect(folder, found);
  return [...found];
}

async function collect(folder: string, found: Set<string>): Promise<void> {
  for (let at = folder; ; at = dirname(at)) {
    const manifest = join(at, "package.json");
    if (!found.has(manifest) && (await exists(manifest))) found.add(manifest);
    const packages = join(at, "node_modules");
    if (!found.has(packages) && (await exists(packages))) {
      found.add(packages);
      for (const target of await linkedFrom(packages)) await collectLinked(target, found);
    }
    if (at === dirname(at)) return;
  }
}

/** A package that is only a link: Node looks for what it depends on from where it really is. */
async function collectLinked(target: string, found: Set<string>): Promise<void> {
  if ([...found].some((folder) => isWithin(target, folder))) return;
  found.add(target);
  await collect(dirname(target), found);
}

/** Where a folder of packages, and the packages in it that are links, lead to. */
async function linkedFrom(packages: string): Promise<readonly string[]> {
  const targets: string[] = [];
  for (const path of [packages, ...(await entriesOf(packages))])
    if ((await lstat(path)).isSymbolicLink()) targets.push(...(await targetOf(path)));
  return targets;
}

async function entriesOf(packages: string): Promise<readonly string[]> {
  const names = await readdir(packages);
  const scoped = names.filter((name) => name.startsWith("@"));
  const inScopes = await Promise.all(
    scoped.map(async (scope) => (await readdir(join(packages, scope))).map((name) => join(packages, scope, name))),
  );
  return [...names.filter((name) => !name.startsWith(".")).map((name) => join(packages, name)), ...inScopes.flat()];
}

/** Nothing for a link that leads nowhere. */
async function targetOf(path: string): Promise<readonly string[]> {
  return realpath(path).then(
    (target) => [target],
    () => [],
  );
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Whether `path` is `folder` or below it. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}
