/** Lines of IRC, written and read from its specification: the emulator shares no code with the adapter. */

/** Tags by name; a value is escaped here. */
export type Tags = Readonly<Record<string, string>>;

/** What a client sent. */
export type ClientLine = { readonly tags: Tags; readonly command: string; readonly params: readonly string[] };

const escapes: readonly (readonly [string, string])[] = [
  ["\\", "\\\\"],
  [";", "\\:"],
  [" ", "\\s"],
  ["\r", "\\r"],
  ["\n", "\\n"],
];

/** `@a=b;c= :prefix COMMAND rest`, without what is empty. */
export function serverLine(tags: Tags, prefix: string, rest: string): string {
  const written = Object.entries(tags).map(([name, value]) => `${name}=${escaped(value)}`);
  return `${written.length === 0 ? "" : `@${written.join(";")} `}:${prefix} ${rest}`;
}

/** A client's line; `null` for none. */
export function parseClientLine(text: string): ClientLine | null {
  const match = /^(?:@(?<tags>\S+) +)?(?<command>[A-Z]+)(?<rest>.*)$/su.exec(text);
  const { tags = "", command, rest = "" } = match?.groups ?? {};
  if (command === undefined) return null;
  const colon = rest.indexOf(" :");
  const middle = (colon === -1 ? rest : rest.slice(0, colon)).split(" ").filter((word) => word !== "");
  return {
    tags: Object.fromEntries(
      tags
        .split(";")
        .filter((tag) => tag !== "")
        .map((tag) => {
          const [name = "", ...value] = tag.split("=");
          return [name, value.join("=")];
        }),
    ),
    command,
    params: colon === -1 ? middle : [...middle, rest.slice(colon + 2)],
  };
}

function escaped(value: string): string {
  return escapes.reduce((text, [plain, written]) => text.replaceAll(plain, written), value);
}
