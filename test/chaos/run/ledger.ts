/** What was said against what was heard, what was sent against what was shown. Pure. */
import type { SendState } from "../../../src/contract/journal.ts";

/** A message on a platform. `isPromised`: the platform was told that we have it, or would give it again if it was not. */
export type Said = { readonly platform: string; readonly text: string; readonly isPromised: boolean };

/** A call of the handler, in the order of calls. */
export type Heard = { readonly text: string; readonly attempt: number; readonly redelivered: boolean };

/** What was on disk at a moment: texts whose ack was committed, and how many calls there had been by then. */
export type Checkpoint = { readonly acked: ReadonlySet<string>; readonly calls: number };

/** One reply or send. `mailed`: put into a mailbox, which its client empties. */
export type Sent = { readonly platform: string; readonly text: string; readonly state: SendState | "mailed" };

/** Everything that was written down in a run. */
export type Ledger = {
  readonly said: readonly Said[];
  readonly heard: readonly Heard[];
  readonly checkpoints: readonly Checkpoint[];
  readonly sent: readonly Sent[];
  /** Every text that a platform was made to show, as often as it was. */
  readonly shown: readonly { readonly platform: string; readonly text: string }[];
};

/** For the report, by platform. */
export type PlatformCounts = {
  readonly said: number;
  readonly promised: number;
  readonly heard: number;
  /** Calls beyond the first for a message: under lease when something died. */
  readonly heardAgain: number;
  readonly sent: number;
  readonly shown: number;
  readonly unknown: number;
  readonly failed: number;
};

/** What a run came to. */
export type Judgement = {
  readonly counts: Readonly<Record<string, PlatformCounts>>;
  /** In words; none: the run has passed. */
  readonly violations: readonly string[];
};

/** Finds everything that must not be. */
export function judge(ledger: Ledger): Judgement {
  return {
    counts: countByPlatform(ledger),
    violations: [...lost(ledger), ...repeated(ledger), ...misSent(ledger)],
  };
}

function lost({ said, heard }: Ledger): string[] {
  const texts = new Set(heard.map(({ text }) => text));
  return said
    .filter(({ isPromised, text }) => isPromised && !texts.has(text))
    .map(({ platform, text }) => `lost: ${text}, which ${platform} had handed over, was never heard`);
}

function repeated({ heard, checkpoints }: Ledger): string[] {
  const violations: string[] = [];
  for (const { acked, calls } of checkpoints)
    for (const { text } of heard.slice(calls))
      if (acked.has(text)) violations.push(`repeated: ${text} was heard again after its ack was on disk`);
  const seen = new Set<string>();
  for (const { text, redelivered } of heard) {
    if (seen.has(text) && !redelivered) violations.push(`unmarked: ${text} was heard again and did not say so`);
    seen.add(text);
  }
  return [...new Set(violations)];
}

function misSent({ sent, shown }: Ledger): string[] {
  const times = new Map<string, number>();
  for (const { platform, text } of shown)
    times.set(nameOf(platform, text), (times.get(nameOf(platform, text)) ?? 0) + 1);
  const violations: string[] = [];
  const known = new Set<string>();
  for (const { platform, text, state } of sent) {
    known.add(nameOf(platform, text));
    const count = times.get(nameOf(platform, text)) ?? 0;
    if (state === "queued" || state === "attempted") violations.push(`unsent: ${text} is still ${state} at the end`);
    if ((state === "confirmed" || state === "mailed") && count === 0)
      violations.push(`lost: ${text} is ${state} and ${platform} never showed it`);
    if (state === "failed" && count > 0) violations.push(`denied: ${text} has failed and ${platform} shows it`);
    if (state !== "unknown" && count > 1)
      violations.push(`doubled: ${text} is ${state} and ${platform} shows it ${count} times`);
  }
  for (const { platform, text } of shown)
    if (!known.has(nameOf(platform, text)))
      violations.push(`from nowhere: ${platform} shows ${text}, which nobody sent`);
  return [...new Set(violations)];
}

function countByPlatform({ said, heard, sent, shown }: Ledger): Record<string, PlatformCounts> {
  const platformOf = new Map(said.map(({ platform, text }) => [text, platform]));
  const platforms = [...new Set([...said, ...sent].map(({ platform }) => platform))];
  return Object.fromEntries(
    platforms.map((platform): [string, PlatformCounts] => {
      const calls = heard.filter(({ text }) => platformOf.get(text) === platform);
      const first = new Set(calls.map(({ text }) => text));
      const own = sent.filter((each) => each.platform === platform);
      return [
        platform,
        {
          said: said.filter((each) => each.platform === platform).length,
          promised: said.filter((each) => each.platform === platform && each.isPromised).length,
          heard: first.size,
          heardAgain: calls.length - first.size,
          sent: own.length,
          shown: shown.filter((each) => each.platform === platform).length,
          unknown: own.filter(({ state }) => state === "unknown").length,
          failed: own.filter(({ state }) => state === "failed").length,
        },
      ];
    }),
  );
}

function nameOf(platform: string, text: string): string {
  return `${platform} ${text}`;
}
