/**
 * How far a folder was read: UIDVALIDITY and the last UID, and what is needed where these two do not suffice. Pure.
 * https://www.rfc-editor.org/rfc/rfc3501#section-2.3.1.1
 */

/** How far one folder was read. Plain JSON: this is what is stored. */
export type FolderCursor = {
  /** A decimal number. */
  readonly uidValidity: string;
  /** Every mail up to this one is dealt with. */
  readonly lastUid: number;
  /** Up to here not every mail is ours to read: those that were there before this cursor began. 0: there are none. */
  readonly oldUpTo: number;
  /** Of the old ones those that came since this day are read as well as the unseen ones; milliseconds, `null`: those alone. */
  readonly oldSinceMs: number | null;
  /** When the last mail came that was read. */
  readonly lastReceivedAtMs: number | null;
  /** On disk, and not yet marked as seen. */
  readonly unmarked: readonly number[];
  /** The ids of the last mails read, shortened: they may come again under other UIDs. */
  readonly recent: readonly string[];
};

/** What a folder looks like when it is opened. */
export type FolderState = { readonly uidValidity: bigint; readonly uidNext: number };

/** What a server is asked for. */
export type FolderQuery = { readonly firstUid: number; readonly lastUid: number | null; readonly isOld: boolean };

const mostRecent = 32;
const dayMs = 86_400_000;

/**
 * The cursor to go on with in a folder that looks like `state`. A folder seen for the first time begins at what is unseen
 * in it. Where the server has numbered it anew, what is unseen or has come since the last mail read is read, less what
 * was read: nothing is lost, and hardly anything comes twice.
 */
export function cursorFor(stored: FolderCursor | null, { uidValidity, uidNext }: FolderState): FolderCursor {
  if (stored !== null && stored.uidValidity === String(uidValidity)) return stored;
  const isRenumbered = stored !== null && stored.lastReceivedAtMs !== null;
  return {
    uidValidity: String(uidValidity),
    lastUid: 0,
    oldUpTo: uidNext - 1,
    // Servers count in days, of their own time zone.
    oldSinceMs: isRenumbered ? (stored.lastReceivedAtMs ?? 0) - dayMs : null,
    lastReceivedAtMs: stored?.lastReceivedAtMs ?? null,
    unmarked: [],
    recent: stored?.recent ?? [],
  };
}

/** What to ask for next: first the old mails, then the new ones. */
export function nextQuery({ lastUid, oldUpTo }: FolderCursor): FolderQuery {
  if (lastUid < oldUpTo) return { firstUid: lastUid + 1, lastUid: oldUpTo, isOld: true };
  return { firstUid: lastUid + 1, lastUid: null, isOld: false };
}

/** Nothing matched the query: all that it covered is dealt with. `uidNext`: where the folder ended before it was asked. */
export function afterNothing(cursor: FolderCursor, query: FolderQuery, uidNext: number): FolderCursor {
  const upTo = query.lastUid ?? uidNext - 1;
  return upTo > cursor.lastUid ? { ...cursor, lastUid: upTo } : cursor;
}

/** One mail that was dealt with. */
export type ReadMailEntry = { readonly uid: number; readonly id: string | null; readonly receivedAtMs: number | null };

/** These were dealt with, in order; `unmarked` of them are to be marked as seen. */
export function afterMails(
  cursor: FolderCursor,
  mails: readonly ReadMailEntry[],
  unmarked: readonly number[],
): FolderCursor {
  const ids = mails.flatMap(({ id }) => (id === null ? [] : [shortId(id)]));
  const times = mails.flatMap(({ receivedAtMs }) => (receivedAtMs === null ? [] : [receivedAtMs]));
  return {
    ...cursor,
    lastUid: Math.max(cursor.lastUid, ...mails.map(({ uid }) => uid)),
    lastReceivedAtMs: times.length === 0 ? cursor.lastReceivedAtMs : Math.max(cursor.lastReceivedAtMs ?? 0, ...times),
    unmarked,
    recent: [...cursor.recent, ...ids].slice(-mostRecent),
  };
}

/** Whether a mail that was there before the cursor began was read under another UID. */
export function isKnown(cursor: FolderCursor, mail: { readonly uid: number; readonly id: string }): boolean {
  return cursor.oldSinceMs !== null && mail.uid <= cursor.oldUpTo && cursor.recent.includes(shortId(mail.id));
}

/** The digest at an id's end tells it as well as all of it. */
function shortId(id: string): string {
  return id.slice(-12);
}

/** All folders by name. Literal: `{ version: 1, folders: { INBOX: { uidValidity: "1", lastUid: 7, … } } }` */
export type StoredCursors = { readonly version: 1; readonly folders: Readonly<Record<string, FolderCursor>> };

/** What an earlier life stored; nothing where it is of another form. */
export function cursorsFrom(stored: unknown): ReadonlyMap<string, FolderCursor> {
  const { version, folders } = Object(stored) as Readonly<Record<string, unknown>>;
  if (version !== 1 || typeof folders !== "object" || folders === null) return new Map();
  return new Map(Object.entries(folders).filter((entry): entry is [string, FolderCursor] => isCursor(entry[1])));
}

function isCursor(value: unknown): boolean {
  const { uidValidity, lastUid, oldUpTo, oldSinceMs, lastReceivedAtMs, unmarked, recent } = Object(value) as Readonly<
    Record<string, unknown>
  >;
  return (
    typeof uidValidity === "string" &&
    isUid(lastUid) &&
    isUid(oldUpTo) &&
    isTime(oldSinceMs) &&
    isTime(lastReceivedAtMs) &&
    Array.isArray(unmarked) &&
    unmarked.every(isUid) &&
    Array.isArray(recent) &&
    recent.every((id) => typeof id === "string")
  );
}

function isUid(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isTime(value: unknown): boolean {
  return value === null || (typeof value === "number" && Number.isFinite(value));
}
