/** Where every process and thread entry is. The extension is this file's own: sources in tests, compiled files in production. */

const extension = import.meta.url.endsWith(".ts") ? ".ts" : ".js";

function entry(name: string): string {
  return new URL(`./${name}${extension}`, import.meta.url).href;
}

/** File URLs of the entries that are no platform's. */
export const entries = {
  host: entry("host"),
  adapter: entry("adapter-runtime"),
  consumer: entry("consumer"),
  journal: entry("journal"),
} as const;

/** File URL of this gateway's own library, which is what the modules in its threads get when they import `bulkhead`. */
export const libraryUrl = entry("../src/library");

/** File URL of each built-in platform's adapter module. A platform that is not listed is not built yet. */
export const adapterModules: Readonly<Record<string, string>> = {
  webhook: entry("webhook/adapter"),
  webchat: entry("webchat/adapter"),
  discord: entry("discord/adapter"),
  slack: entry("slack/adapter"),
  telegram: entry("telegram/adapter"),
  twitch: entry("twitch/adapter"),
  email: entry("email/adapter"),
};
