/** The reactions of Telegram's documentation, by code point, so that no editor changes them. https://core.telegram.org/bots/api#reactiontypeemoji */

const plain =
  "1F44D 1F44E 2764 1F525 1F970 1F44F 1F601 1F914 1F92F 1F631 1F92C 1F622 1F389 1F929 1F92E 1F4A9 1F64F 1F44C 1F54A 1F921 1F971 1F974 1F60D 1F433 1F31A 1F32D 1F4AF 1F923 26A1 1F34C 1F3C6 1F494 1F928 1F610 1F353 1F37E 1F48B 1F595 1F608 1F634 1F62D 1F913 1F47B 1F440 1F383 1F648 1F607 1F628 1F91D 270D 1F917 1FAE1 1F385 1F384 2603 1F485 1F92A 1F5FF 1F192 1F498 1F649 1F984 1F618 1F48A 1F64A 1F60E 1F47E 1F937 1F621";
const joined = ["2764 200D 1F525", "1F468 200D 1F4BB", "1F937 200D 2642", "1F937 200D 2640"];

/** All of them. */
export const allowedReactions: ReadonlySet<string> = new Set([...plain.split(" "), ...joined].map(fromCodePoints));

function fromCodePoints(codes: string): string {
  return String.fromCodePoint(...codes.split(" ").map((code) => Number.parseInt(code, 16)));
}
