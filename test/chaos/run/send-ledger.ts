/** What was taken to be sent against what became of it and what platforms were made to show. Pure. */
import type { SendState } from "../../../src/contract/journal.ts";
import type { Excuses } from "./send-excuses.ts";

/** A text for a platform. */
export type Addressed = { readonly platform: string; readonly text: string };

/**
 * One reply or send. `mailed`: put into a mailbox, which its client empties. `conversation`: sends of one follow each other.
 * `code`: of its error, where it has one.
 */
export type Sent = Addressed & {
  readonly state: SendState | "mailed";
  readonly conversation: string;
  readonly code: string | null;
};

/** Everything about sends that was written down in a run. */
export type SendLedger = {
  /** Sends that the gateway said it has (202). */
  readonly accepted: readonly Addressed[];
  /** Replies to messages whose ack is on disk: they were committed together. */
  readonly answered: readonly Addressed[];
  readonly sent: readonly Sent[];
  /** Every text that a platform was made to show, as often as it was. */
  readonly shown: readonly Addressed[];
  /** By platform. One that is not here has no excuse. */
  readonly excuses: Readonly<Record<string, Excuses>>;
};

/** What the gateway may say when it cannot know whether a send arrived. */
const doubts: ReadonlySet<string> = new Set(["timeout", "worker_crashed", "worker_unresponsive"]);
/** What a platform says of credentials that it refuses for good. */
const refusals: ReadonlySet<string> = new Set(["unauthorized", "forbidden"]);

/** Every send that was lost, doubled or belied, in words. */
export function judgeSends(ledger: SendLedger): readonly string[] {
  return [...new Set([...vanished(ledger), ...misSent(ledger), ...unexcused(ledger), ...fromNowhere(ledger)])];
}

/**
 * So many sends of a platform may be `unknown`: each that its service met with a fault, and for each moment at which what
 * was on its way could be cut off, one in every conversation, since those of one conversation follow each other.
 */
export function mostUnknown({ sent, excuses }: SendLedger, platform: string): number {
  const { cuts = 0, sendFaultsMet = 0 } = excuses[platform] ?? {};
  const own = sent.filter((each) => each.platform === platform && each.state !== "mailed");
  return sendFaultsMet + cuts * new Set(own.map(({ conversation }) => conversation)).size;
}

function unexcused(ledger: SendLedger): string[] {
  const { sent, excuses } = ledger;
  const wrong = sent.flatMap(({ platform, text, state, code }) => {
    if (state === "failed" && !(refusals.has(code ?? "") && excuses[platform]?.isRefused === true))
      return [`given up: ${text} has failed with ${code}, which nothing in the run made ${platform} say for good`];
    if (state === "unknown" && !doubts.has(code ?? "")) return [`in doubt: ${text} is unknown because of ${code}`];
    return [];
  });
  const tooMany = [...new Set(sent.map(({ platform }) => platform))].flatMap((platform) => {
    const unknown = sent.filter((each) => each.platform === platform && each.state === "unknown").length;
    const most = mostUnknown(ledger, platform);
    return unknown > most
      ? [`in doubt: ${unknown} sends of ${platform} are unknown, the faults cut off ${most} at most`]
      : [];
  });
  return [...wrong, ...tooMany];
}

function vanished({ accepted, answered, sent }: SendLedger): string[] {
  const known = new Set(sent.map(nameOf));
  return [
    ...accepted
      .filter((each) => !known.has(nameOf(each)))
      .map(({ platform, text }) => `vanished: ${text} for ${platform} was taken and is not in the journal`),
    ...answered
      .filter((each) => !known.has(nameOf(each)))
      .map(({ platform, text }) => `vanished: ${text} for ${platform} is not in the journal, its message's ack is`),
  ];
}

function misSent({ sent, shown }: SendLedger): string[] {
  const times = new Map<string, number>();
  for (const each of shown) times.set(nameOf(each), (times.get(nameOf(each)) ?? 0) + 1);
  const violations: string[] = [];
  for (const each of sent) {
    const { platform, text, state } = each;
    const count = times.get(nameOf(each)) ?? 0;
    if (state === "queued" || state === "attempted") violations.push(`unsent: ${text} is still ${state} at the end`);
    if ((state === "confirmed" || state === "mailed") && count === 0)
      violations.push(`lost: ${text} is ${state} and ${platform} never showed it`);
    if (state === "failed" && count > 0) violations.push(`denied: ${text} has failed and ${platform} shows it`);
    if (state !== "unknown" && count > 1)
      violations.push(`doubled: ${text} is ${state} and ${platform} shows it ${count} times`);
  }
  return violations;
}

function fromNowhere({ sent, shown }: SendLedger): string[] {
  const known = new Set(sent.map(nameOf));
  return shown
    .filter((each) => !known.has(nameOf(each)))
    .map(({ platform, text }) => `from nowhere: ${platform} shows ${text}, which nobody sent`);
}

function nameOf({ platform, text }: Addressed): string {
  return `${platform} ${text}`;
}
