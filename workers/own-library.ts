/** The package's name in a thread: always the gateway that runs the thread. */
import { registerHooks } from "node:module";
import { libraryUrl } from "./catalog.ts";

const packageName = "bulkhead";

/**
 * Has every module of this thread, wherever its file is, get this gateway's own library for `import … from "bulkhead"` and
 * `require("bulkhead")`: there need be no build and no installed package, and no second version of it comes in.
 */
export function provideOwnLibrary(): void {
  registerHooks({
    resolve: (specifier, context, nextResolve) =>
      specifier === packageName ? { url: libraryUrl, shortCircuit: true } : nextResolve(specifier, context),
  });
}
