/** What Twitch says against a message or a channel, as ours. {@link https://dev.twitch.tv/docs/irc/msg-id/} Pure. */
import { GatewayError, type ErrorCode } from "../../src/contract/errors.ts";

/** The window of Twitch's limits: nothing is worth trying sooner. */
const windowMs = 30_000;

type Refusal = {
  readonly code: ErrorCode;
  /** Waiting helps: as long as the text says, else this long. */
  readonly waitMs?: number;
  readonly userAction?: string;
};

const refusals: Readonly<Record<string, Refusal>> = {
  msg_ratelimit: { code: "rate_limited", waitMs: windowMs },
  // The same text is taken again after half a minute.
  msg_duplicate: { code: "rate_limited", waitMs: windowMs },
  msg_slowmode: { code: "rate_limited", waitMs: windowMs },
  msg_timedout: { code: "rate_limited", waitMs: windowMs },
  msg_banned: {
    code: "forbidden",
    userAction: "Have the bot unbanned in the channel, or take the channel out of the config",
  },
  msg_channel_blocked: { code: "forbidden", userAction: "Ask the channel's owner to unblock the bot" },
  msg_followersonly: {
    code: "forbidden",
    userAction: "Have the bot's account follow the channel, or make it a moderator",
  },
  msg_followersonly_followed: {
    code: "forbidden",
    userAction: "Wait until the bot has followed for long enough, or make it a moderator",
  },
  msg_followersonly_zero: {
    code: "forbidden",
    userAction: "Have the bot's account follow the channel, or make it a moderator",
  },
  msg_subsonly: {
    code: "forbidden",
    userAction: "Make the bot a moderator of the channel, where only subscribers may write",
  },
  msg_emoteonly: {
    code: "message_rejected",
    userAction: "Make the bot a moderator of the channel, where only emotes may be written",
  },
  msg_requires_verified_phone_number: { code: "forbidden", userAction: "Verify the phone number of the bot's account" },
  msg_verified_email: { code: "forbidden", userAction: "Verify the e-mail address of the bot's account" },
  msg_suspended: { code: "forbidden", userAction: "The bot's account is suspended: appeal at Twitch" },
  tos_ban: {
    code: "forbidden",
    userAction: "The channel's or the bot's account is suspended: take it out of the config",
  },
  msg_warned: { code: "forbidden", userAction: "Log in as the bot and acknowledge the warning in the channel" },
  no_permission: { code: "forbidden" },
  msg_channel_suspended: { code: "not_found" },
  msg_room_not_found: { code: "not_found" },
  invalid_user: { code: "not_found" },
  unrecognized_cmd: { code: "message_rejected" },
};

/** The error that a NOTICE with this `msg-id` is for the message it refuses; `null`: it refuses none. */
export function refusalOf(notice: string, text: string): GatewayError | null {
  const known = Object.hasOwn(refusals, notice) ? refusals[notice] : undefined;
  // Whatever is new among them refuses a message as well.
  const refusal = known ?? (notice.startsWith("msg_") ? { code: "message_rejected" as const } : null);
  if (refusal === null) return null;
  const { code, waitMs, userAction = null } = refusal;
  return new GatewayError(
    code,
    `Cannot say it: Twitch refuses it as ${notice}: ${JSON.stringify(text.slice(0, 200))}`,
    {
      ...(waitMs === undefined ? {} : { retry: { kind: "after", delayMs: waitIn(text) ?? waitMs } as const }),
      userAction,
    },
  );
}

/** Slow mode and time-outs say how long they last. */
function waitIn(text: string): number | null {
  const seconds = /(\d{1,7}) (?:more )?seconds?/u.exec(text)?.[1];
  return seconds === undefined ? null : (Number(seconds) + 1) * 1_000;
}
