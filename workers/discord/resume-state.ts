/** Where a next generation goes on: the session, who the bot is, and what was seen last in each channel. Pure. */
import { childOf, idOf, isNewer, isSnowflake, numberOf, payloadOf, textOf, textsOf } from "./payload.ts";
import { isGatewayUrl } from "./gateway-information.ts";

/** A gateway session that can be resumed after `sequence`. */
export type Session = { readonly id: string; readonly resumeUrl: string; readonly sequence: number };

/** What is kept in the gateway's journal. */
export type ResumeState = {
  readonly userId: string;
  readonly applicationId: string;
  /** `null`: none that could be resumed. */
  readonly session: Session | null;
  /** Until then everything was received, milliseconds since 1970. */
  readonly aliveAtMs: number;
  /** The newest accepted message by channel. */
  readonly lastMessages: Readonly<Record<string, string>>;
  /** The user by direct-message channel. */
  readonly directUsers: Readonly<Record<string, string>>;
  /** Guilds whose commands we have registered; `""` for those of everywhere. */
  readonly commandScopes: readonly string[];
};

/** Channels that are remembered, of each kind. */
export const mostChannels = 500;

/** What was stored, if it is `userId`'s: another bot's sessions and channels are no use. */
export function parseResumeState(value: unknown, userId: string): ResumeState | null {
  const state = payloadOf(value);
  if (state === null || idOf(state, "userId") !== userId) return null;
  return {
    userId,
    applicationId: idOf(state, "applicationId") ?? userId,
    session: parseSession(childOf(state, "session")),
    aliveAtMs: numberOf(state, "aliveAtMs") ?? 0,
    lastMessages: parseIds(childOf(state, "lastMessages")),
    directUsers: parseIds(childOf(state, "directUsers")),
    commandScopes: textsOf(state, "commandScopes"),
  };
}

/** A session as stored or as the library has it; `null` for one that cannot be resumed. */
export function parseSession(session: Readonly<Record<string, unknown>> | null): Session | null {
  if (session === null) return null;
  const id = textOf(session, "id");
  const resumeUrl = textOf(session, "resumeUrl");
  const sequence = numberOf(session, "sequence");
  if (id === "" || sequence === null || !Number.isSafeInteger(sequence) || sequence < 0) return null;
  return isGatewayUrl(resumeUrl) ? { id, resumeUrl, sequence } : null;
}

/** The newer of two message ids. */
export function newerOf(known: string | undefined, id: string): string {
  return known !== undefined && isNewer(known, id) ? known : id;
}

function parseIds(ids: Readonly<Record<string, unknown>> | null): Readonly<Record<string, string>> {
  const entries = Object.entries(ids ?? {}).filter(
    (entry): entry is [string, string] =>
      isSnowflake(entry[0]) && typeof entry[1] === "string" && isSnowflake(entry[1]),
  );
  return Object.fromEntries(entries.slice(-mostChannels));
}
