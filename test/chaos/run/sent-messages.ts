/** What became of each reply and each send, read from the journal that a run has left. */
import { DatabaseSync } from "node:sqlite";
import type { SendState } from "../../../src/contract/journal.ts";
import type { ChaosPlatform } from "./chaos-platforms.ts";
import type { HeardCall } from "./chaos-gateway.ts";
import type { Sent } from "./ledger.ts";

/** Beginning of what the handler answers with. */
const replyPrefix = "re:";

/**
 * Replies are known by the message they answer, sends by their key, which is their text. Replies of a platform whose clients
 * fetch were in mailboxes, which are empty by then: there each message that was heard has one.
 */
export function sentMessages(
  journalPath: string,
  run: {
    readonly platforms: readonly ChaosPlatform[];
    readonly heard: readonly HeardCall[];
  },
): readonly Sent[] {
  const texts = new Map(run.heard.map(({ id, text }) => [id, text]));
  const pull = new Set(run.platforms.filter(({ emulated }) => emulated.traits.isPull).map(({ key }) => key));
  using database = new DatabaseSync(journalPath, { readOnly: true });
  const rows = database
    .prepare("SELECT key, state, idempotency_key AS name FROM sends")
    .all()
    .map(({ key, state, name }) => ({ key: String(key), state: state as SendState, name: String(name) }));
  const keys = new Set(run.platforms.map(({ key }) => key));
  const pushed = rows
    .filter(({ key }) => keys.has(key))
    .map(({ key, state, name }): Sent => {
      const text = texts.get(name.split("/")[0] ?? "");
      return { platform: key, text: text === undefined ? name : `${replyPrefix}${text}`, state };
    });
  const mailed = new Set(
    run.heard.filter(({ adapter }) => pull.has(adapter)).map(({ adapter, text }) => `${adapter} ${text}`),
  );
  return [
    ...pushed,
    ...[...mailed].map((line): Sent => {
      const [platform = "", text = ""] = line.split(" ");
      return { platform, text: `${replyPrefix}${text}`, state: "mailed" };
    }),
  ];
}
