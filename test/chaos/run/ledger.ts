/** What was said against what was heard, and how the run went for each platform. Pure. */
import { judgeSends, mostUnknown, type SendLedger } from "./send-ledger.ts";

/** A message on a platform. `isPromised`: the platform was told that we have it, or would give it again if it was not. */
export type Said = { readonly platform: string; readonly text: string; readonly isPromised: boolean };

/** A call of the handler, in the order of calls. `life`: of the thread that was called. */
export type Heard = {
  readonly text: string;
  readonly attempt: number;
  readonly redelivered: boolean;
  readonly life: string;
};

/** What was on disk at a moment: texts whose ack was committed, and how many calls there had been by then. */
export type Checkpoint = { readonly acked: ReadonlySet<string>; readonly calls: number };

/** Everything that was written down in a run. */
export type Ledger = SendLedger & {
  readonly said: readonly Said[];
  readonly heard: readonly Heard[];
  readonly checkpoints: readonly Checkpoint[];
  /** Texts that were heard and whose ack is not on disk at the end. */
  readonly unacked: readonly string[];
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
  readonly mostUnknown: number;
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
    violations: [
      ...lost(ledger),
      ...unsettled(ledger),
      ...repeated(ledger),
      ...repeatedWithoutCause(ledger),
      ...judgeSends(ledger),
    ],
  };
}

function lost({ said, heard }: Ledger): string[] {
  const texts = new Set(heard.map(({ text }) => text));
  return said
    .filter(({ isPromised, text }) => isPromised && !texts.has(text))
    .map(({ platform, text }) => `lost: ${text}, which ${platform} had handed over, was never heard`);
}

function unsettled({ unacked }: Ledger): string[] {
  return unacked.map((text) => `unsettled: ${text} was heard, and no ack of it is on disk at the end`);
}

function repeated({ heard, checkpoints }: Ledger): string[] {
  const violations: string[] = [];
  for (const { acked, calls } of checkpoints)
    for (const { text } of heard.slice(calls))
      if (acked.has(text)) violations.push(`repeated: ${text} was heard again after its ack was on disk`);
  return [...new Set(violations)];
}

/**
 * What was under lease may come again only after its handler's death. A death is seen by the next life: whoever was told to
 * end, ran out of time or was killed says nothing any more once its successor has spoken.
 */
function repeatedWithoutCause({ heard }: Ledger): string[] {
  const violations: string[] = [];
  const lastLives = new Map<string, string>();
  const over = new Set<string>();
  let present: string | null = null;
  for (const { text, redelivered, life } of heard) {
    if (over.has(life)) violations.push(`undead: ${text} was heard by a handler that had a successor`);
    if (present !== null && life !== present) over.add(present);
    present = life;
    const last = lastLives.get(text);
    if (last !== undefined && !redelivered) violations.push(`unmarked: ${text} was heard again and did not say so`);
    if (last === life) violations.push(`repeated: ${text} was heard again though nothing had died`);
    lastLives.set(text, life);
  }
  return violations;
}

function countByPlatform(ledger: Ledger): Record<string, PlatformCounts> {
  const { said, heard, sent, shown } = ledger;
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
          mostUnknown: mostUnknown(ledger, platform),
          failed: own.filter(({ state }) => state === "failed").length,
        },
      ];
    }),
  );
}
