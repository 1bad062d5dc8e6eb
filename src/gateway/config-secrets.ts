/** The secrets of a config that belong to no adapter. */
import type { Config } from "../contract/config.ts";

/** Shorter values of a query are found in texts that have nothing to do with it. */
const shortestQuerySecret = 8;

/** By owner (`consumer:main`, `notify`): every value that must not be seen. Adapters' secrets are in their specs. */
export function configSecrets(config: Pick<Config, "consumers" | "notify">): ReadonlyMap<string, readonly string[]> {
  const secrets = new Map<string, readonly string[]>();
  for (const { name, target } of config.consumers)
    if (target.kind === "url") secrets.set(`consumer:${name}`, [target.signingSecret, ...urlSecrets(target.url)]);
  if (config.notify.length > 0)
    secrets.set(
      "notify",
      config.notify.flatMap(({ url }) => urlSecrets(url)),
    );
  return secrets;
}

/** The URL whole, and what in it is a secret by itself: libraries show URLs in pieces. */
function urlSecrets(text: string): readonly string[] {
  const url = URL.parse(text);
  if (url === null) return [text];
  const values = [...url.searchParams.values()].filter(({ length }) => length >= shortestQuerySecret);
  return [text, url.href, url.password, decoded(url.password), ...values].filter((secret) => secret !== "");
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // No percent encoding: it is what it says.
    return text;
  }
}
