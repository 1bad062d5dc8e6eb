/** The menu of commands that Telegram shows: kept in step with what the consumers declare. */
import type { CommandDeclaration } from "../../src/contract/command.ts";
import type { TelegramApi } from "./api.ts";

/** One line of the menu, as Telegram has it. */
export type MenuEntry = { readonly command: string; readonly description: string };

/** Telegram takes no more. */
const largestMenu = 100;

/** A declared name in Telegram's letters: a-z, 0-9 and `_`. */
export function menuName(name: string): string {
  return name.toLowerCase().replaceAll("-", "_");
}

/** The declared names by those in the menu. Of two that become one the first counts. */
export function commandNames(commands: readonly CommandDeclaration[]): ReadonlyMap<string, string> {
  return new Map(commands.toReversed().map(({ name }) => [menuName(name), name]));
}

/** The menu that stands for `commands`. */
export function menuOf(commands: readonly CommandDeclaration[]): readonly MenuEntry[] {
  const names = new Set<string>();
  const entries: MenuEntry[] = [];
  for (const { name, description } of commands) {
    const command = menuName(name);
    if (names.has(command) || entries.length === largestMenu) continue;
    names.add(command);
    entries.push({ command, description });
  }
  return entries;
}

/**
 * Sets the menu where it differs; resolves with whether it is ours now. Without commands a menu that somebody else made
 * is left alone, and one of ours is taken away.
 * @throws {TelegramError} what Telegram said.
 */
export async function syncMenu(
  api: TelegramApi,
  commands: readonly CommandDeclaration[],
  options: { readonly hasMenu: boolean; readonly signal: AbortSignal },
): Promise<boolean> {
  const wanted = menuOf(commands);
  if (wanted.length === 0 && !options.hasMenu) return false;
  const { signal } = options;
  const found = await api.call("getMyCommands", {}, { signal });
  if (!isSameMenu(found, wanted)) await api.call("setMyCommands", { commands: [...wanted] }, { signal });
  return wanted.length > 0;
}

function isSameMenu(left: readonly MenuEntry[], right: readonly MenuEntry[]): boolean {
  return (
    left.length === right.length &&
    left.every(
      (entry, index) => entry.command === right[index]?.command && entry.description === right[index].description,
    )
  );
}
