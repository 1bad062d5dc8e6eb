/** What Discord should know of the consumers' commands, and whether it already does. Pure. */
import { ApplicationCommandOptionType, ApplicationCommandType } from "discord.js";
import type { CommandDeclaration, CommandOption } from "../../src/contract/command.ts";
import { childrenOf, numberOf, textOf, type Payload } from "./payload.ts";

/** A command as it is registered. */
export type RegisteredCommand = Readonly<Record<string, unknown>>;

const slashType: number = ApplicationCommandType.ChatInput;
const mostCommands = 100;
const mostOptions = 25;
const mostChoices = 25;
const validName = /^[a-z0-9_-]{1,32}$/u;

const optionTypes: Readonly<Record<CommandOption["type"], ApplicationCommandOptionType>> = {
  string: ApplicationCommandOptionType.String,
  integer: ApplicationCommandOptionType.Integer,
  number: ApplicationCommandOptionType.Number,
  boolean: ApplicationCommandOptionType.Boolean,
  user: ApplicationCommandOptionType.User,
  channel: ApplicationCommandOptionType.Channel,
};
const choosable: ReadonlySet<CommandOption["type"]> = new Set(["string", "integer", "number"]);

/** The declarations that Discord takes, each name once, and the names of those that it would refuse with all the others. */
export function toRegistered(commands: readonly CommandDeclaration[]): {
  readonly wanted: readonly RegisteredCommand[];
  readonly refused: readonly string[];
} {
  const byName = new Map<string, RegisteredCommand>();
  const refused: string[] = [];
  for (const command of commands) {
    if (!isValid(command) || (byName.size >= mostCommands && !byName.has(command.name))) refused.push(command.name);
    else if (!byName.has(command.name)) byName.set(command.name, toCommand(command));
  }
  return { wanted: [...byName.values()], refused };
}

/**
 * What to register in place of `existing`; `null`: it is as wanted already. Commands of other kinds, which are shown in
 * menus and made elsewhere, stay.
 */
export function differenceOf(
  existing: readonly Payload[],
  wanted: readonly RegisteredCommand[],
): readonly RegisteredCommand[] | null {
  const others = existing.filter((command) => !isSlashCommand(command));
  const known = existing.filter(isSlashCommand).map(comparable);
  const isSame = known.length === wanted.length && sameTexts(known, wanted.map(comparable));
  return isSame ? null : [...wanted, ...others];
}

function toCommand({ name, description, options }: CommandDeclaration): RegisteredCommand {
  // Discord wants the required ones first.
  const sorted = options.toSorted((left, right) => Number(right.required) - Number(left.required));
  return { type: slashType, name, description, options: sorted.map(toOption) };
}

function toOption({ name, description, type, required, choices }: CommandOption): Payload {
  const offered = choosable.has(type)
    ? choices.map((choice) => ({ name: choice, value: type === "string" ? choice : Number(choice) }))
    : [];
  return {
    type: optionTypes[type],
    name,
    description,
    required,
    ...(offered.length === 0 ? {} : { choices: offered }),
  };
}

function isValid({ name, description, options }: CommandDeclaration): boolean {
  if (!validName.test(name) || !isDescription(description) || options.length > mostOptions) return false;
  const names = new Set(options.map((option) => option.name));
  return names.size === options.length && options.every(isValidOption);
}

function isValidOption({ name, description, type, choices }: CommandOption): boolean {
  const isNumeric = type === "integer" || type === "number";
  return (
    validName.test(name) &&
    isDescription(description) &&
    choices.length <= mostChoices &&
    choices.every((choice) => choice.length >= 1 && choice.length <= 100) &&
    (!isNumeric || choices.every((choice) => choice.trim() !== "" && Number.isFinite(Number(choice))))
  );
}

function isDescription(text: string): boolean {
  return text.trim() !== "" && text.length <= 100;
}

function isSlashCommand(command: Payload): boolean {
  return (numberOf(command, "type") ?? slashType) === slashType;
}

/** What of a command is ours to say, however Discord words the rest. */
function comparable(command: Payload): string {
  const options = childrenOf(command, "options").map((option) => [
    numberOf(option, "type"),
    textOf(option, "name"),
    textOf(option, "description"),
    option["required"] === true,
    childrenOf(option, "choices").map((choice) => [choice["name"], choice["value"]]),
  ]);
  return JSON.stringify([textOf(command, "name"), textOf(command, "description"), options]);
}

function sameTexts(left: readonly string[], right: readonly string[]): boolean {
  const sorted = right.toSorted();
  return left.toSorted().every((text, index) => text === sorted[index]);
}
