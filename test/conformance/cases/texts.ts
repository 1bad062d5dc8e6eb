/** Texts of every script and length, both ways, whole. */
import assert from "node:assert/strict";
import { AdapterBench } from "../adapter-bench.ts";
import type { ConformanceCase } from "../conformance-case.ts";
import type { EmulatedPlatform, ShownItem } from "../emulated-platform.ts";
import { FakeClock } from "../fake-clock.ts";

/** Each a whole message: what breaks code that counts bytes, cuts surrogates, or takes text for markup. */
const hostileTexts: Readonly<Record<string, string>> = {
  "several scripts": "zażółć gęślą jaźń, 你好世界, שלום עולם, привет, ありがとう",
  "surrogate pairs and sequences": "👩‍👩‍👧‍👦 🇵🇱 👍🏽 𝕏 𠜎 e\u0301",
  markup: "5 < 6 & 7 > 3, <b>not bold</b>, &amp; &lt;script&gt;",
  "several lines": "one\ntwo\n\nthree",
  "quotes and slashes": "\"quoted\" 'single' back\\slash C:\\temp %s {0} $1",
};

/** As the outbox's own deadline of a send wants it. */
const streamEndSeconds = 60;

/** Comes in as it was written. */
export async function hearsEveryText(platform: EmulatedPlatform): Promise<void> {
  await using bench = await AdapterBench.start(platform);
  for (const text of Object.values(hostileTexts)) await bench.hear(asShown(platform, text));
}

/** Is read there as it was said. */
export async function saysEveryText(platform: EmulatedPlatform): Promise<void> {
  await using bench = await AdapterBench.start(platform);
  const heard = await bench.hear("say it");
  for (const [what, text] of Object.entries(hostileTexts)) {
    await bench.answer(heard, text);
    await bench.shown((item) => item.text === asShown(platform, text), what);
  }
}

/** On one line, where there are no others. */
function asShown({ traits }: EmulatedPlatform, text: string): string {
  return traits.hasLineBreaks === false ? text.replaceAll(/\s*\n\s*/gu, " ") : text;
}

/** As long as the platform allows. */
export async function hearsTheLongestText(platform: EmulatedPlatform): Promise<void> {
  await using bench = await AdapterBench.start(platform);
  const { limit } = platform.traits.longestText;
  // One unit per character, whatever the unit is.
  await bench.hear("x".repeat(limit === 0 ? 10_000 : limit));
}

/** Longer than one message may be: in parts, in order, every word of it. */
export async function splitsLongTexts(platform: EmulatedPlatform): Promise<void> {
  const words = Array.from({ length: wordsFor(platform) }, (_, index) => `word-${index}-ąę`);
  await saysInParts(platform, words.join(" "));
}

/** Without a single space, and with characters that take two units: no half of one is ever shown. */
export async function neverCutsACharacter(platform: EmulatedPlatform): Promise<void> {
  const { limit, unit } = platform.traits.longestText;
  const most = limit === 0 ? 5_000 : Math.ceil(limit / lengthIn("😀", unit));
  await saysInParts(platform, `x${"😀".repeat(most * 2.5)}`);
}

/** A code block that is cut is closed, and opened again. */
export async function keepsCodeFencesWhole(platform: EmulatedPlatform): Promise<void> {
  const lines = Array.from({ length: wordsFor(platform) }, (_, index) => `const line${index} = "<${index}>" && 1;`);
  await saysInParts(platform, `before\n\`\`\`ts\n${lines.join("\n")}\n\`\`\`\nafter`, (parts) => {
    for (const { raw } of parts) {
      const fences = JSON.stringify(raw).split("```").length - 1;
      assert.equal(fences % 2, 0, `a part has ${fences} fences: ${JSON.stringify(raw).slice(0, 200)}`);
    }
  });
}

/** The end of a stream may be over-long as well. */
export async function splitsTheEndOfAStream(platform: EmulatedPlatform): Promise<void> {
  const words = Array.from({ length: wordsFor(platform) }, (_, index) => `word-${index}`);
  await using clock = new FakeClock();
  await using bench = await AdapterBench.start(platform);
  const heard = await bench.hear("tell me all");
  await bench.answer(heard, { kind: "stream_start" });
  await bench.answer(heard, { kind: "stream_chunk", text: words.slice(0, 10).join(" ") });
  const end = bench.answer(heard, { kind: "stream_end", text: words.join(" ") });
  await clock.hurry(end, streamEndSeconds, "the end of a stream");
  const last = words.at(-1) ?? "";
  await bench.shown(({ text }) => text.endsWith(last), "the last word of a stream");
  // Of a message that was edited, its last state counts. What pages show while a stream runs is no message.
  const kept = platform.shown.filter(({ kind }) => kind === "message" || !platform.traits.isPull);
  const byId = new Map(kept.map((item) => [item.messageId, item.text]));
  assertSame([...byId.values()].join(" "), words.join(" "));
}

async function saysInParts(
  platform: EmulatedPlatform,
  text: string,
  check: (parts: readonly ShownItem[]) => void = () => {},
): Promise<void> {
  await using bench = await AdapterBench.start(platform);
  const heard = await bench.hear("say it");
  await bench.answer(heard, text);
  await bench.answer(heard, "the end of it");
  await bench.shown((item) => item.text === "the end of it", "what was said after a long text");
  const parts = platform.shown.filter((item) => item.text !== "the end of it");
  const { limit, unit } = platform.traits.longestText;
  for (const part of parts) {
    assert.equal(part.kind, "message");
    assert.ok(part.text.isWellFormed(), "half of a character is shown");
    const length = lengthIn(part.text, unit);
    assert.ok(limit === 0 || length <= limit, `a part has ${length} ${unit}, ${limit} are allowed`);
  }
  assertSame(parts.map((part) => part.text).join("\n"), text);
  check(parts);
}

function assertSame(shown: string, said: string): void {
  const [found, wanted] = [bare(shown), bare(said)];
  let at = 0;
  while (at < wanted.length && found[at] === wanted[at]) at += 1;
  const excerpt = (whole: string): string => JSON.stringify(whole.slice(Math.max(0, at - 30), at + 30));
  assert.ok(
    found === wanted,
    `what is shown is not what was said, from ${at}: ${excerpt(found)} for ${excerpt(wanted)}`,
  );
}

/** Without white space and fences, which a cut may add and drop. */
function bare(text: string): string {
  return text.replaceAll(/```(?:ts)?/gu, "").replaceAll(/\s/gu, "");
}

function lengthIn(text: string, unit: EmulatedPlatform["traits"]["longestText"]["unit"]): number {
  if (unit === "utf16") return text.length;
  return unit === "bytes" ? Buffer.byteLength(text) : Array.from(text).length;
}

/** Enough for three parts, and for something where there is no limit. */
function wordsFor({ traits }: EmulatedPlatform): number {
  return traits.longestText.limit === 0 ? 2_000 : Math.ceil((traits.longestText.limit * 2.5) / 10);
}

function withoutFences({ traits }: EmulatedPlatform): string | null {
  return traits.hasCodeFences === false ? "it shows backquotes as they are" : null;
}

/** See each. */
export const textCases: readonly ConformanceCase[] = [
  { title: "hears texts of every script", run: hearsEveryText },
  { title: "hears the longest text", run: hearsTheLongestText },
  { title: "says texts of every script, and takes none for markup", run: saysEveryText },
  { title: "says a long text in parts", run: splitsLongTexts },
  { title: "never cuts a character in two", run: neverCutsACharacter },
  { title: "keeps code fences whole", unless: withoutFences, run: keepsCodeFencesWhole },
  { title: "says the over-long end of a stream in parts", setsClock: true, run: splitsTheEndOfAStream },
];
