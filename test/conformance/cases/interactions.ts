/** Buttons, menus and commands: what was chosen comes in, its user has a sign in time, and the answer is shown. */
import assert from "node:assert/strict";
import type { CommandDeclaration } from "../../../src/contract/command.ts";
import type { EmittedMessage } from "../../../src/contract/message.ts";
import { AdapterBench } from "../adapter-bench.ts";
import { peopleWho, unlessPeople, type ConformanceCase, type PeopleWho } from "../conformance-case.ts";
import type { EmulatedPlatform } from "../emulated-platform.ts";
import { patience, within } from "../within.ts";

/** Whoever pressed a button or gave a command is told that it failed when no sign comes within this, milliseconds. */
const signDeadlineMs = 3_000;

const status: CommandDeclaration = {
  name: "status",
  description: "How things are",
  options: [{ name: "what", description: "Of what", type: "string", required: true, choices: [] }],
  isPrivate: false,
};
const help: CommandDeclaration = { name: "help", description: "What there is", options: [], isPrivate: false };

/** What the adapter itself had put below a message is known again, and what is answered to it stands beside it. */
export async function hearsAButton(platform: EmulatedPlatform): Promise<void> {
  await withAChoice(platform, async ({ bench, people, messageId, heard }) => {
    await people.press(messageId, "Yes, please");
    const pressed = await bench.ledger.acceptedKind("interaction");
    assert.equal(pressed.metadata?.["action_id"], "agree");
    assert.equal(pressed.conversation, heard.conversation, "it is said to have happened elsewhere");
    assert.equal(pressed.sender.id, heard.sender.id, "somebody else is said to have pressed it");
    await bench.answer(pressed, "you agreed");
    const shown = await bench.shown(({ text }) => text === "you agreed", "the answer to a button");
    assert.equal(shown.conversation, heard.conversation, "the answer is shown elsewhere");
  });
}

/** A menu says which of its options it was, by the value that the handler gave it. */
export async function hearsAMenu(platform: EmulatedPlatform): Promise<void> {
  await withAChoice(platform, async ({ bench, people, messageId }) => {
    await people.press(messageId, "The second one");
    const { metadata = {} } = await bench.ledger.acceptedKind("interaction");
    assert.deepEqual([metadata["action_id"], metadata["values"]], ["pick", ["option-2"]]);
  });
}

/** The sign does not wait for the handler: who pressed sees that it has arrived. */
export async function givesASignInTime(platform: EmulatedPlatform): Promise<void> {
  await withAChoice(platform, async ({ people, messageId }) => {
    await signed(people, await people.press(messageId, "Yes, please"));
  });
}

/** A press that comes again is the same one; another press of the same button is another one. */
export async function tellsPressesApart(platform: EmulatedPlatform): Promise<void> {
  await withAChoice(platform, async ({ bench, people, messageId }) => {
    const first = await people.press(messageId, "Yes, please");
    await bench.ledger.acceptedKind("interaction");
    await platform.repeat(first);
    await people.press(messageId, "Yes, please");
    await bench.ledger.accepted.count(2, "two presses", ({ message }) => message.kind === "interaction");
    await bench.hear("after both");
    assert.equal(bench.ledger.ofKind("interaction").length, 2, "one press came twice");
  });
}

/** What is declared is offered, what no longer is is not, in place and with the next life. */
export async function offersTheDeclaredCommands(platform: EmulatedPlatform): Promise<void> {
  const people = peopleWho(platform, "offered");
  await using bench = await AdapterBench.start(platform, { commands: [status, help] });
  await within(people.offered(["status", "help"]), "the offer of two commands");
  await bench.swapPolicy({ commands: [help] });
  await within(people.offered(["help"]), "the end of one offer");
  await bench.swapPolicy({ commands: [status, help] });
  await within(people.offered(["status", "help"]), "the offer of both again");
  await bench.stop();
  await bench.start();
  await bench.swapPolicy({ commands: [] });
  await within(people.offered([]), "the end of all offers, in the next life");
}

/** Name and words come in, who gave it has a sign in time, and the answer is shown. */
export async function hearsACommand(platform: EmulatedPlatform): Promise<void> {
  await withCommands(platform, async (bench, people) => {
    const { conversation, sender } = await bench.hear("what is there");
    const id = await people.command("status", { what: "everything" });
    const given = await bench.ledger.acceptedKind("command");
    assert.equal(given.text, "/status everything");
    assert.equal(given.metadata?.["command_name"], "status");
    assert.equal(given.conversation, conversation, "it is said to have been given elsewhere");
    assert.equal(given.sender.id, sender.id, "somebody else is said to have given it");
    await signed(people, id);
    await bench.answer(given, "all is well");
    const shown = await bench.shown(({ text }) => text === "all is well", "the answer to a command");
    assert.equal(shown.conversation, conversation, "the answer is shown elsewhere");
  });
}

/** A command that comes again is the same one; given again it is another one. */
export async function tellsCommandsApart(platform: EmulatedPlatform): Promise<void> {
  await withCommands(platform, async (bench, people) => {
    const first = await people.command("help", {});
    await bench.ledger.acceptedKind("command");
    await platform.repeat(first);
    await people.command("help", {});
    await bench.ledger.accepted.count(2, "two commands", ({ message }) => message.kind === "command");
    await bench.hear("after both");
    assert.equal(bench.ledger.ofKind("command").length, 2, "one command came twice");
  });
}

type Choice = {
  readonly bench: AdapterBench;
  readonly people: PeopleWho<"press" | "answered">;
  /** The message with the button and the menu. */
  readonly messageId: string;
  /** What it answers. */
  readonly heard: EmittedMessage;
};

async function withAChoice(platform: EmulatedPlatform, run: (choice: Choice) => Promise<void>): Promise<void> {
  const people = peopleWho(platform, "press", "answered");
  await using bench = await AdapterBench.start(platform);
  const heard = await bench.hear("let me choose");
  await bench.answer(heard, {
    kind: "rich_message",
    text: "make your choice",
    interactiveElements: [
      { kind: "buttons", buttons: [{ label: "Yes, please", customId: "agree" }] },
      {
        kind: "select",
        customId: "pick",
        options: [
          { label: "The first one", value: "option-1" },
          { label: "The second one", value: "option-2" },
        ],
      },
    ],
  });
  const { messageId } = await bench.shown(({ text }) => text.includes("make your choice"), "a choice");
  await run({ bench, people, messageId, heard });
}

async function withCommands(
  platform: EmulatedPlatform,
  run: (bench: AdapterBench, people: PeopleWho<"command" | "answered">) => Promise<void>,
): Promise<void> {
  const people = peopleWho(platform, "command", "answered");
  await using bench = await AdapterBench.start(platform, { commands: [status, help] });
  if (people.offered !== undefined) await within(people.offered(["status", "help"]), "the offer of two commands");
  await run(bench, people);
}

/** Nothing has been answered yet, and the sign comes all the same. */
async function signed(people: PeopleWho<"answered">, id: string): Promise<void> {
  const deadlineMs = Math.min(signDeadlineMs, patience.getStore() ?? signDeadlineMs);
  await patience.run(deadlineMs, () => within(people.answered(id), "a first sign for who pressed or gave a command"));
}

const withoutButtons = unlessPeople("nothing that it shows can be pressed", "press", "answered");
const withoutCommands = unlessPeople("it has no commands", "command", "answered");

/** See each. */
export const interactionCases: readonly ConformanceCase[] = [
  { title: "hears of a button that it showed, and shows the answer", unless: withoutButtons, run: hearsAButton },
  { title: "hears what was chosen from a menu", unless: withoutButtons, run: hearsAMenu },
  { title: "gives who pressed a button a sign in time", unless: withoutButtons, run: givesASignInTime },
  {
    title: "tells presses of one button apart, and knows one that comes again",
    unless: withoutButtons,
    run: tellsPressesApart,
  },
  {
    title: "offers the commands that are declared, and no longer those that are not",
    unless: unlessPeople("it keeps no list of commands", "offered"),
    run: offersTheDeclaredCommands,
  },
  { title: "hears a command with its words, and shows the answer", unless: withoutCommands, run: hearsACommand },
  { title: "tells commands apart, and knows one that comes again", unless: withoutCommands, run: tellsCommandsApart },
];
