/** Slack's way of writing text, as people read it: names for ids, addresses without brackets, characters for entities. */

const token = /<([^<>\n]+)>/gu;
const userId = /<@([UW][A-Z0-9]{1,40})(?:\|[^<>]*)?>/gu;

/** The ids of the users that `text` mentions, each once. */
export function mentionedUsers(text: string): readonly string[] {
  return [...new Set([...text.matchAll(userId)].map(([, id = ""]) => id))];
}

/** Whether `text` mentions the user `id`. */
export function mentions(text: string, id: string): boolean {
  return text.includes(`<@${id}>`) || text.includes(`<@${id}|`);
}

/** `text` without a mention of the user `id` at its start: it says whom the rest is for. */
export function withoutLeadingMention(text: string, id: string): string {
  const match = /^\s*<@([A-Z0-9]+)(?:\|[^<>]*)?>[\s:,]*/u.exec(text);
  return match?.[1] === id ? text.slice(match[0].length) : text;
}

/** `text` for people. `nameOf` gives a user's name; `null` leaves the id. */
export function readableText(text: string, nameOf: (id: string) => string | null): string {
  if (!text.includes("<") && !text.includes("&")) return text;
  return text
    .replace(token, (_, inner: string) => readToken(inner, nameOf))
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");
}

/** `text` with the three characters escaped that Slack gives a meaning. */
export function escapeText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function readToken(inner: string, nameOf: (id: string) => string | null): string {
  const bar = inner.indexOf("|");
  const target = bar === -1 ? inner : inner.slice(0, bar);
  const label = bar === -1 ? "" : inner.slice(bar + 1);
  if (target.startsWith("@")) return `@${nameOf(target.slice(1)) ?? (label || target.slice(1))}`;
  if (target.startsWith("#")) return `#${label || target.slice(1)}`;
  if (target.startsWith("!")) return readCommand(target.slice(1), label);
  if (label === "" || target === label || target === `mailto:${label}` || target.endsWith(`://${label}`)) {
    return label !== "" && target.startsWith("mailto:") ? label : target;
  }
  return `${label} (${target})`;
}

/** `<!here>`, `<!subteam^S1|@team>`, `<!date^…|yesterday>`. */
function readCommand(name: string, label: string): string {
  if (label !== "") return label;
  const caret = name.indexOf("^");
  return `@${caret === -1 ? name : name.slice(caret + 1)}`;
}
