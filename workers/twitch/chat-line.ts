/** One line of chat as tmi.js parses it, with its tags as Twitch means them. Pure. */

/** Literal: `{ command: "PRIVMSG", prefix: "ann!ann@ann.tmi.twitch.tv", tags, params: ["#room", "hello"] }` */
export type ChatLine = {
  readonly command: string;
  /** `""`: the line names nobody. */
  readonly prefix: string;
  /** Unescaped; a tag without a value is `""`. */
  readonly tags: ReadonlyMap<string, string>;
  readonly params: readonly string[];
};

const meanings: Readonly<Record<string, string>> = { s: " ", ":": ";", r: "\r", n: "\n" };
/** Owners' names: {@link https://dev.twitch.tv/docs/irc/} calls them logins. */
const loginForm = /^[a-z0-9_]{1,25}$/u;

/** What tmi.js made of a line; `null` for what is no line at all. */
export function chatLineOf(parsed: unknown): ChatLine | null {
  if (typeof parsed !== "object" || parsed === null) return null;
  const { command, prefix, tags, params } = parsed as Record<string, unknown>;
  if (typeof command !== "string" || command === "" || !Array.isArray(params)) return null;
  const entries = Object.entries(tags ?? {}).map(([name, value]): [string, string] => [
    name,
    // The library writes `true` for a tag without a value.
    typeof value === "string" ? unescapeTag(value) : "",
  ]);
  return {
    command,
    prefix: typeof prefix === "string" ? prefix : "",
    tags: new Map(entries),
    params: params.filter((param) => typeof param === "string"),
  };
}

/** A tag's value as it was before it was escaped. {@link https://ircv3.net/specs/extensions/message-tags#escaping-values} */
export function unescapeTag(value: string): string {
  return value.replaceAll(/\\(.?)/gsu, (_, character: string) => meanings[character] ?? character);
}

/** A tag's value as it goes over the wire. */
export function escapeTag(value: string): string {
  return value.replaceAll(/[\\; \r\n]/gu, (character) => escapes[character] ?? character);
}

const escapes: Readonly<Record<string, string>> = { "\\": "\\\\", ";": "\\:", " ": "\\s", "\r": "\\r", "\n": "\\n" };

/** Whom a line is from: `ann` of `ann!ann@ann.tmi.twitch.tv`. */
export function nickOf({ prefix }: ChatLine): string {
  return (prefix.split("!", 1)[0] ?? "").toLowerCase();
}

/** The channel a line is about, by its owner's login; `null`: none. */
export function channelOf({ params }: ChatLine): string | null {
  const [target = ""] = params;
  return target.startsWith("#") ? loginOf(target) : null;
}

/** A login as Twitch writes it, whatever case and `#` or `@` it came with; `null` for what can be none. */
export function loginOf(text: string): string | null {
  const login = text.trim().replace(/^[#@]/u, "").toLowerCase();
  return loginForm.test(login) ? login : null;
}
