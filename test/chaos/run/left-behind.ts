/** What became of each message, reply and send, read from the journal that a run has left. */
import { DatabaseSync } from "node:sqlite";
import type { SendState } from "../../../src/contract/journal.ts";
import { isNumbered, type HeardCall } from "./chaos-gateway.ts";
import type { ChaosPlatform } from "./chaos-platforms.ts";
import type { Addressed, Sent } from "./send-ledger.ts";

/** Beginning of what the handler answers with. */
const replyPrefix = "re:";

/** See {@link Ledger}. */
export type LeftBehind = {
  readonly sent: readonly Sent[];
  readonly answered: readonly Addressed[];
  readonly unacked: readonly string[];
};

/**
 * Replies are known by the message they answer, sends by their key, which is their text. Replies of a platform whose clients
 * fetch were in mailboxes, which are empty by then: there each message that was heard has one.
 */
export function leftBehind(
  journalPath: string,
  run: {
    readonly platforms: readonly ChaosPlatform[];
    readonly heard: readonly HeardCall[];
  },
): LeftBehind {
  using database = new DatabaseSync(journalPath, { readOnly: true });
  const acked = new Set(
    database
      .prepare("SELECT id FROM done JOIN messages USING (seq)")
      .all()
      .map(({ id }) => String(id)),
  );
  const pull = new Set(run.platforms.filter(({ emulated }) => emulated.traits.isPull).map(({ key }) => key));
  const heard = [...new Map(run.heard.map((call) => [call.id, call])).values()];
  const replies = heard
    .filter(({ text }) => isNumbered(text))
    .map(({ id, adapter, text }) => ({ id, platform: adapter, text: `${replyPrefix}${text}` }));
  const rows = sentRows(database, { platforms: run.platforms, replies });
  // A reply to a message that was handed out before has a row there too.
  const texts = new Set(rows.filter(({ platform }) => pull.has(platform)).map(({ text }) => text));
  const mailed = replies.filter(({ platform, text }) => pull.has(platform) && !texts.has(text));
  return {
    sent: [
      ...rows,
      ...mailed.map(({ platform, text }): Sent => ({ platform, text, state: "mailed", conversation: "", code: null })),
    ],
    answered: replies
      .filter(({ id, platform }) => acked.has(id) && !pull.has(platform))
      .map(({ platform, text }) => ({ platform, text })),
    unacked: heard.filter(({ id }) => !acked.has(id)).map(({ text }) => text),
  };
}

function sentRows(
  database: DatabaseSync,
  run: {
    readonly platforms: readonly ChaosPlatform[];
    readonly replies: readonly (Addressed & { readonly id: string })[];
  },
): readonly Sent[] {
  const keys = new Set(run.platforms.map(({ key }) => key));
  const texts = new Map(run.replies.map(({ id, text }) => [`${id}/0`, text]));
  return database
    .prepare(
      "SELECT key, conversation, state, error ->> '$.code' AS code, idempotency_key AS name FROM sends ORDER BY seq",
    )
    .all()
    .filter(({ key }) => keys.has(String(key)))
    .map(({ key, conversation, state, code, name }) => ({
      platform: String(key),
      text: texts.get(String(name)) ?? String(name),
      state: state as SendState,
      conversation: String(conversation),
      code: code === null ? null : String(code),
    }));
}
