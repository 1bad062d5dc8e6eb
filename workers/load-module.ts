/** Loads the module a thread exists for. */
import { GatewayError } from "../src/contract/errors.ts";

/** The module's default export. @throws {GatewayError} `config_invalid` when it cannot be loaded or is not what is wanted. */
export async function loadModule<Wanted>(
  moduleUrl: string,
  isWanted: (value: unknown) => value is Wanted,
): Promise<Wanted> {
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

function failed(message: string, cause: unknown): GatewayError {
  return new GatewayError("config_invalid", message, { cause });
}
