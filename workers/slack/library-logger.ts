/** What Slack's library logs: kept out of the log unless someone looks, since it writes whole payloads and addresses. */
import type { Logger } from "@slack/bolt";
import { LogLevel } from "@slack/bolt";
import type { AdapterLog } from "../../src/contract/adapter.ts";

const longestTextCharacters = 300;

/** A logger for the library: its warnings and errors become debug records, the rest is dropped. */
export function libraryLogger(log: AdapterLog): Logger {
  const forward = (...parts: readonly unknown[]): void => {
    log.debug("slack-library", { text: parts.map(String).join(" ").slice(0, longestTextCharacters) });
  };
  const drop = (): void => {};
  return {
    debug: drop,
    info: drop,
    warn: forward,
    error: forward,
    setLevel: drop,
    setName: drop,
    // Anything above debug: it then does not build texts that nobody reads.
    getLevel: () => LogLevel.ERROR,
  };
}
