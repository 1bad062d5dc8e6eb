/** Whether the bot is spoken to. Pure. */

/** The bot as chat knows it. */
export type BotAccount = {
  readonly login: string;
  /** `null` until Twitch has said it. */
  readonly userId: string | null;
  /** `""` until Twitch has said it; may be of another script than the login. */
  readonly displayName: string;
};

/** Whether `text` has `@login` or `@Display Name` in it as a whole word, in whatever case. */
export function mentions(text: string, { login, displayName }: Pick<BotAccount, "login" | "displayName">): boolean {
  const folded = text.toLowerCase();
  return [login, displayName.toLowerCase()].some((name) => name !== "" && hasWord(folded, `@${name}`));
}

function hasWord(text: string, word: string): boolean {
  for (let at = text.indexOf(word); at !== -1; at = text.indexOf(word, at + 1)) {
    const before = text.slice(0, at);
    const after = text.slice(at + word.length);
    if (!endsInWord.test(before) && !beginsInWord.test(after)) return true;
  }
  return false;
}

/** What a name may consist of: next to it another name begins or goes on. */
const beginsInWord = /^[\p{L}\p{N}_]/u;
const endsInWord = /[\p{L}\p{N}_]$/u;
