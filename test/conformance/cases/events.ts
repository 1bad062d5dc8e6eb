/** What becomes of a message after it was said: changed, taken away, reacted to. Each event once, and told from all others. */
import assert from "node:assert/strict";
import type { EmittedMessage } from "../../../src/contract/message.ts";
import { AdapterBench } from "../adapter-bench.ts";
import {
  either,
  peopleWho,
  unlessPeople,
  withoutAcknowledgements,
  withoutRecovery,
  type ConformanceCase,
} from "../conformance-case.ts";
import type { EmulatedPeople } from "../emulated-people.ts";
import type { EmulatedPlatform } from "../emulated-platform.ts";
import { turns, within } from "../within.ts";

/** An edit is of the message it changes, and no duplicate of it. */
export async function hearsAnEdit(platform: EmulatedPlatform): Promise<void> {
  await withAMessage(platform, async ({ bench, heard, id }) => {
    await peopleWho(platform, "edit").edit(id, "as it should have been");
    const edited = await bench.ledger.acceptedKind("edited");
    assert.equal(edited.text, "as it should have been");
    assertAbout(edited, heard);
    assert.equal(edited.sender.id, heard.sender.id, "it is said to be somebody else's");
  });
}

/** The same edit again is the same one; another edit of the same message is another one. */
export async function tellsEditsApart(platform: EmulatedPlatform): Promise<void> {
  await withAMessage(platform, async ({ bench, id }) => {
    const people = peopleWho(platform, "edit");
    const first = await people.edit(id, "changed once");
    await bench.ledger.acceptedText("changed once");
    await platform.repeat(first);
    await people.edit(id, "changed twice");
    await bench.ledger.acceptedText("changed twice");
    await bench.hear("after both");
    const texts = bench.ledger.ofKind("edited").map(({ text }) => text);
    assert.deepEqual(texts, ["changed once", "changed twice"]);
  });
}

/** A deletion is of the message that is gone, and comes once. */
export async function hearsADeletion(platform: EmulatedPlatform): Promise<void> {
  await withAMessage(platform, async ({ bench, heard, id }) => {
    const deletion = await peopleWho(platform, "remove").remove(id);
    assertAbout(await bench.ledger.acceptedKind("deleted"), heard);
    await platform.repeat(deletion);
    await bench.hear("after the deletion");
    assert.equal(bench.ledger.ofKind("deleted").length, 1, "one deletion came twice");
  });
}

/** Who reacted, with what, to which message; taken off is not put on, and put on again it is another one. */
export async function hearsReactions(platform: EmulatedPlatform): Promise<void> {
  await withAMessage(platform, async ({ bench, heard, id }) => {
    const people = peopleWho(platform, "react");
    for (const isTaken of [false, true, false]) await people.react(id, { emoji: "👍", isTaken });
    await bench.ledger.accepted.count(3, "three events of a reaction", ({ message }) => message.kind === "reaction");
    const reactions = bench.ledger.ofKind("reaction");
    for (const reaction of reactions) {
      assertAbout(reaction, heard);
      assert.equal(reaction.text, "👍");
      assert.equal(reaction.sender.id, heard.sender.id, "somebody else is said to have reacted");
    }
    const actions = reactions.map(({ metadata }) => metadata?.["reaction_action"]);
    assert.deepEqual(actions, ["added", "removed", "added"]);
  });
}

/** The platform hears of an event only when the gateway has it. */
export async function acknowledgesEventsAfterAccept(platform: EmulatedPlatform): Promise<void> {
  await withAMessage(platform, async ({ bench: { ledger }, id }) => {
    for (const { happen } of sortsOn(platform)) {
      const before = ledger.emitted.items.length;
      ledger.hold();
      const event = await happen(platform, id);
      await ledger.emitted.count(before + 1, "the emission of an event");
      await turns(100);
      assert.ok(!platform.isAcknowledged(event), "it acknowledged an event that the gateway has not accepted");
      ledger.release();
      await within(platform.acknowledged(event), "the acknowledgement of an accepted event");
    }
  });
}

/** It dies before they are accepted: the next life brings them, each once. */
export async function bringsEventsAgain(platform: EmulatedPlatform): Promise<void> {
  await withAMessage(platform, async ({ bench, id }) => {
    const { ledger } = bench;
    const before = ledger.emitted.items.length;
    const wanted = sortsOn(platform);
    ledger.hold();
    for (const { happen } of wanted) await happen(platform, id);
    await ledger.emitted.count(before + 1, "the emission of an event");
    await bench.respawn();
    await ledger.accepted.count(1 + wanted.length, "every event after the death");
    await bench.hear("after the death");
    const kinds = ledger.accepted.items.map(({ message }) => message.kind ?? "text");
    assert.equal(new Set(kinds).size, 1 + wanted.length, `not each of them came once: ${kinds.join(", ")}`);
    assert.equal(kinds.length, 2 + wanted.length, `one of them came twice: ${kinds.join(", ")}`);
  });
}

type Attempt = { readonly bench: AdapterBench; readonly heard: EmittedMessage; readonly id: string };

async function withAMessage(platform: EmulatedPlatform, run: (attempt: Attempt) => Promise<void>): Promise<void> {
  await using bench = await AdapterBench.start(platform);
  const id = await platform.say({ text: "as it was said" });
  await run({ bench, id, heard: await bench.ledger.acceptedText("as it was said") });
}

/** What may become of a message, the message's end last. */
const sorts = [
  { name: "edit", happen: (platform, id) => peopleWho(platform, "edit").edit(id, "changed") },
  { name: "react", happen: (platform, id) => peopleWho(platform, "react").react(id, { emoji: "👍", isTaken: false }) },
  { name: "remove", happen: (platform, id) => peopleWho(platform, "remove").remove(id) },
] as const satisfies readonly {
  readonly name: keyof EmulatedPeople;
  readonly happen: (platform: EmulatedPlatform, id: string) => Promise<string>;
}[];

/** Those that the platform has. */
function sortsOn({ people }: EmulatedPlatform): readonly (typeof sorts)[number][] {
  return sorts.filter(({ name }) => people?.[name] !== undefined);
}

/** Same message, same place. */
function assertAbout(event: EmittedMessage, heard: EmittedMessage): void {
  assert.equal(event.conversation, heard.conversation, "it is said to have happened elsewhere");
  assert.equal(event.id, heard.id, "it is about another message");
}

const withoutEdits = unlessPeople("it tells of no edits", "edit");

function withoutEvents(platform: EmulatedPlatform): string | null {
  return sortsOn(platform).length === 0 ? "nothing but messages comes from it" : null;
}

/** See each. */
export const eventCases: readonly ConformanceCase[] = [
  { title: "hears an edit as one of the message that it changes", unless: withoutEdits, run: hearsAnEdit },
  {
    title: "tells edits of one message apart, and knows one that comes again",
    unless: withoutEdits,
    run: tellsEditsApart,
  },
  {
    title: "hears a deletion as one of the message that is gone",
    unless: unlessPeople("it tells of no deletions", "remove"),
    run: hearsADeletion,
  },
  {
    title: "hears who reacts with what, and that it is taken off",
    unless: unlessPeople("it tells of no reactions", "react"),
    run: hearsReactions,
  },
  {
    title: "acknowledges an event only once it is accepted",
    unless: either(withoutEvents, withoutAcknowledgements),
    run: acknowledgesEventsAfterAccept,
  },
  {
    title: "brings the events again that were not accepted before a death",
    unless: either(withoutEvents, withoutRecovery),
    run: bringsEventsAgain,
  },
];
