/** Emoji by the names that people type and Slack's API speaks. Where the two differ Slack's counts. */
import { createRequire } from "node:module";
import type * as Gemoji from "gemoji";
import { slackEmoji } from "./slack-emoji.ts";

type Names = {
  readonly emojiByName: ReadonlyMap<string, string>;
  /** Keys have no variation selectors, which some senders leave out. */
  readonly nameByEmoji: ReadonlyMap<string, string>;
};

let names: Names | null = null;

const variationSelectors = /\uFE0F/gu;
const firstTone = 0x1f3fb;
const tones = /[\u{1F3FB}-\u{1F3FF}]/gu;
const tonedName = /^(?<base>.+)::skin-tone-(?<tone>[2-6])$/u;
const firstLetter = 0x1f1e6;
const flagOfCountry = /^\p{Regional_Indicator}{2}$/u;
/** The first flags there were; the others are named like `flag-ch`. */
const oldFlags: ReadonlySet<string> = new Set(["cn", "de", "es", "fr", "gb", "it", "jp", "kr", "ru", "us"]);

/** `👍` for `+1`, `thumbsup` or `:+1:`, and `👍🏻` for `+1::skin-tone-2`. `null` for a name nobody knows. */
export function emojiOfName(name: string): string | null {
  const plain = name.replace(/^:|:$/gu, "");
  const { base, tone } = tonedName.exec(plain)?.groups ?? {};
  const emoji = load().emojiByName.get(base ?? plain) ?? null;
  return emoji === null || tone === undefined ? emoji : toned(emoji, Number(tone));
}

/** `+1` for `👍`, and `+1::skin-tone-2` for `👍🏻`: Slack's name where it has one. `null` for what is no emoji. */
export function nameOfEmoji(emoji: string): string | null {
  const name = load().nameByEmoji.get(emoji.replace(tones, "").replace(variationSelectors, "")) ?? null;
  const tone = emoji.match(tones)?.[0]?.codePointAt(0);
  return name === null || tone === undefined ? name : `${name}::skin-tone-${tone - firstTone + 2}`;
}

/** With the tone where the emoji has tones, else without. */
function toned(emoji: string, tone: number): string {
  const modifier = String.fromCodePoint(firstTone + tone - 2);
  const everyone = emoji.replace(/(\p{Emoji_Modifier_Base})\uFE0F?/gu, `$1${modifier}`);
  const first = emoji.replace(/(\p{Emoji_Modifier_Base})\uFE0F?/u, `$1${modifier}`);
  return [everyone, first].find((each) => /^\p{RGI_Emoji}$/v.test(each)) ?? emoji;
}

/** Read at the first use, since most threads never need it. */
function load(): Names {
  if (names !== null) return names;
  const { gemoji } = createRequire(import.meta.url)("gemoji") as typeof Gemoji;
  const emojiByName = new Map<string, string>();
  const nameByEmoji = new Map<string, string>();
  const add = (emoji: string, name: string): void => {
    emojiByName.set(name, emoji);
    nameByEmoji.set(emoji.replace(variationSelectors, ""), name);
  };
  for (const { emoji, names: known } of gemoji) {
    // The first name is the one to go by.
    for (const name of known.toReversed()) add(emoji, name);
    if (!flagOfCountry.test(emoji)) continue;
    const country = countryOf(emoji);
    add(emoji, `flag-${country}`);
    if (oldFlags.has(country)) add(emoji, country);
  }
  for (const [emoji, name] of slackEmoji()) add(emoji, name);
  names = { emojiByName, nameByEmoji };
  return names;
}

/** `ch` of the flag that its letters make. */
function countryOf(flag: string): string {
  return Array.from(flag, (letter) => String.fromCharCode((letter.codePointAt(0) ?? 0) - firstLetter + 97)).join("");
}
