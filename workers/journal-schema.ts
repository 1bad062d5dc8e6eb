/**
 * The journal's tables. A message's row never changes; where it stands is a small row of its own in exactly one of
 * `pending`, `done` and `dead`, so that an ack rewrites no payload.
 */

const first = `
CREATE TABLE meta (
  is_clean INTEGER NOT NULL,
  -- The highest numbers ever given out: rows may be gone, their numbers never come again.
  seq INTEGER NOT NULL,
  send_seq INTEGER NOT NULL,
  cursor INTEGER NOT NULL
) STRICT;
INSERT INTO meta VALUES (1, 0, 0, 0);

CREATE TABLE messages (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  key TEXT NOT NULL,
  conversation TEXT NOT NULL,
  at INTEGER NOT NULL,
  header TEXT NOT NULL,
  payload BLOB NOT NULL
) STRICT;
CREATE TABLE pending (
  seq INTEGER PRIMARY KEY,
  key TEXT NOT NULL,
  consumer TEXT NOT NULL,
  -- A hash of key and conversation: a narrow index instead of two texts.
  lane INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  not_before INTEGER NOT NULL,
  leased INTEGER NOT NULL,
  error TEXT
) STRICT;
CREATE INDEX pending_lane ON pending (lane);
CREATE TABLE done (
  seq INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  bytes INTEGER NOT NULL
) STRICT;
CREATE TABLE dead (
  seq INTEGER PRIMARY KEY,
  key TEXT NOT NULL,
  consumer TEXT NOT NULL,
  lane INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  not_before INTEGER NOT NULL,
  leased INTEGER NOT NULL,
  error TEXT,
  at INTEGER NOT NULL,
  reason TEXT NOT NULL
) STRICT;
-- Found by id through an index in memory: see journal-text-index.ts.
CREATE TABLE known (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  at INTEGER NOT NULL
) STRICT;

CREATE TABLE sends (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  key TEXT NOT NULL,
  conversation TEXT NOT NULL,
  idempotency_key TEXT NOT NULL,
  state TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  next_attempt_at INTEGER NOT NULL,
  platform_message_id TEXT,
  error TEXT,
  at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL
) STRICT;
CREATE INDEX open_sends ON sends (key) WHERE state IN ('queued', 'attempted');
-- Apart, so that a change of state does not rewrite a file in base64; deleted once it is confirmed.
CREATE TABLE send_bodies (
  seq INTEGER PRIMARY KEY,
  response BLOB NOT NULL
) STRICT;
CREATE TABLE mailbox (
  cursor INTEGER PRIMARY KEY,
  key TEXT NOT NULL,
  conversation TEXT NOT NULL,
  response BLOB NOT NULL,
  at INTEGER NOT NULL
) STRICT;
CREATE INDEX mailbox_conversation ON mailbox (key, conversation, cursor);
CREATE TABLE store (
  scope TEXT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (scope, key)
) STRICT, WITHOUT ROWID`;

/** A send may be held until a time. Few are: the index has no others. */
const heldSends = `
ALTER TABLE sends ADD COLUMN due_at INTEGER NOT NULL DEFAULT 0;
CREATE INDEX held_sends ON sends (due_at) WHERE due_at > 0`;

/** One step of SQL per version of the schema, in order; `user_version` counts the steps done. Never edit a released one. */
export const migrations: readonly string[] = [first, heldSends];
