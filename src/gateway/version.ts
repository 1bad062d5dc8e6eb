/** The product's version, as its package says it. */
import { readFileSync } from "node:fs";

/** Two folders up from the sources, three from the build. */
const candidates = ["../../package.json", "../../../package.json"];

/** Such as `0.1.0`. Read once, at load. */
export const version: string = readVersion();

function readVersion(): string {
  for (const candidate of candidates) {
    try {
      const text = readFileSync(new URL(candidate, import.meta.url), "utf8");
      return (JSON.parse(text) as { readonly version: string }).version;
    } catch {
      // The other place, then.
    }
  }
  return "unknown";
}
