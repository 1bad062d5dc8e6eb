/** Loads the module a thread exists for. */
import { GatewayError } from "../src/contract/errors.ts";
import { provideOwnLibrary } from "./own-library.ts";

/** The module's default export. @throws {GatewayError} `config_invalid` when it cannot be loaded or is not what is wanted. */
export async function loadModule<Wanted>(
  moduleUrl: string,
  isWanted: (value: unknown) => value is Wanted,
): Promise<Wanted> {
  provideOwnLibrary();
  let loaded: { readonly default?: unknown };
  try {
    loaded = (await import(moduleUrl)) as typeof loaded;
  } catch (reason) {
    throw failed(`Cannot load ${moduleUrl}: ${reason instanceof Error ? reason.message : String(reason)}`, reason);
  }
  // A CommonJS module's exports arrive as its default, with another default inside when it was compiled from ESM.
  const nested = (loaded.default as { readonly default?: unknown } | undefined)?.default;
  for (const candidate of [loaded.default, nested]) if (isWanted(candidate)) return candidate;
  throw failed(`Cannot use ${moduleUrl}: its default export is not of the expected shape`, undefined);
}

/** Another export of a module that {@link loadModule} has loaded; `undefined` where there is none. */
export async function namedExport(moduleUrl: string, name: string): Promise<unknown> {
  const loaded = (await import(moduleUrl)) as Readonly<Record<string, unknown>>;
  if (loaded[name] !== undefined) return loaded[name];
  // As above: `module.exports.NAME` is a property of the default.
  return (loaded["default"] as Readonly<Record<string, unknown>> | undefined)?.[name];
}

function failed(message: string, cause: unknown): GatewayError {
  return new GatewayError("config_invalid", message, { cause });
}
