/** What a consumer module exports as `commands`, checked: a wrong one is left out and named, the others are taken. */
import { commandOptionTypes, type CommandDeclaration, type CommandOption, type CommandOptionType } from "./command.ts";

/** Most commands of one consumer; what comes after them is left out. */
const mostCommands = 100;
const mostOptions = 25;
const mostChoices = 25;
const longestDescription = 100;
const longestChoice = 100;
/** All commands of one consumer together, in characters of JSON: they travel to every adapter that offers them. */
const longestTogether = 262_144;
const nameFormat = /^[a-z0-9_-]{1,32}$/u;
const wantedName = "1 to 32 of a-z, 0-9, _ and -";

/** Why one command was left out. Literal: `{ command: "Status", field: "commands[0].name", problem: "expected 1 to 32 of a-z, 0-9, _ and -" }` */
export type CommandProblem = {
  /** Its name as it was written, where it has one. */
  readonly command: string | null;
  readonly field: string;
  readonly problem: string;
};

/** What is left, and why the rest is not. */
export type ParsedCommands = {
  readonly commands: readonly CommandDeclaration[];
  readonly problems: readonly CommandProblem[];
};

type Wrong = { readonly field: string; readonly problem: string };
type Fields = Readonly<Record<string, unknown>>;

/** `options`, `isPrivate`, `required` and `choices` may be left out. `undefined` is no commands at all. Never throws. */
export function parseCommands(value: unknown): ParsedCommands {
  if (value === undefined) return { commands: [], problems: [] };
  if (!Array.isArray(value)) return { commands: [], problems: [about(null, wrong("commands", "expected an array"))] };
  const entries: readonly unknown[] = value;
  const commands = new Map<string, CommandDeclaration>();
  const problems: CommandProblem[] = [];
  let length = 0;
  for (const [index, entry] of entries.slice(0, mostCommands).entries()) {
    const field = `commands[${index}]`;
    const parsed = parseSafely(entry, field);
    if (isWrong(parsed)) {
      problems.push(about(entry, parsed));
      continue;
    }
    const isKnown = commands.has(parsed.name);
    length += JSON.stringify(parsed).length;
    if (isKnown) problems.push(about(entry, wrong(`${field}.name`, "a command before it has the same name")));
    else if (length > longestTogether)
      problems.push(about(entry, wrong(field, `all commands together have at most ${longestTogether} characters`)));
    else commands.set(parsed.name, parsed);
  }
  if (entries.length > mostCommands)
    problems.push(about(null, wrong(`commands[${mostCommands}]`, `at most ${mostCommands} commands are taken`)));
  return { commands: [...commands.values()], problems };
}

/** A module may export anything, also what throws when it is looked at. */
function parseSafely(entry: unknown, field: string): CommandDeclaration | Wrong {
  try {
    return parseCommand(entry, field);
  } catch (reason) {
    return wrong(field, `cannot be read: ${reason instanceof Error ? reason.message : "it throws"}`);
  }
}

function parseCommand(value: unknown, at: string): CommandDeclaration | Wrong {
  const fields = parseFields(value, at, ["name", "description", "options", "isPrivate"]);
  if (isWrong(fields)) return fields;
  const { options = [], isPrivate = false } = fields;
  const parsed = parseList(options, { at: `${at}.options`, most: mostOptions, parse: parseOption });
  if (isWrong(parsed)) return parsed;
  if (typeof isPrivate !== "boolean") return wrong(`${at}.isPrivate`, "expected true or false");
  const twice = parsed.findIndex(({ name }, index) => parsed.findIndex((option) => option.name === name) < index);
  if (twice !== -1) return wrong(`${at}.options[${twice}].name`, "an option before it has the same name");
  return { name: String(fields["name"]), description: String(fields["description"]), options: parsed, isPrivate };
}

function parseOption(value: unknown, at: string): CommandOption | Wrong {
  const fields = parseFields(value, at, ["name", "description", "type", "required", "choices"]);
  if (isWrong(fields)) return fields;
  const { type, required = false, choices = [] } = fields;
  const known = commandOptionTypes.find((candidate) => candidate === type);
  if (known === undefined) return wrong(`${at}.type`, `expected ${commandOptionTypes.join(", ")}`);
  if (typeof required !== "boolean") return wrong(`${at}.required`, "expected true or false");
  const parse = (choice: unknown, place: string): string | Wrong => parseChoice(choice, place, known);
  const parsed = parseList(choices, { at: `${at}.choices`, most: mostChoices, parse });
  if (isWrong(parsed)) return parsed;
  return {
    name: String(fields["name"]),
    description: String(fields["description"]),
    type: known,
    required,
    choices: parsed,
  };
}

function parseChoice(value: unknown, at: string, type: CommandOptionType): string | Wrong {
  if (typeof value !== "string" || value === "" || value.length > longestChoice)
    return wrong(at, `expected a text of 1 to ${longestChoice} characters`);
  if (type === "string" || (type === "number" && Number.isFinite(Number(value)))) return value;
  if (type === "integer" && Number.isSafeInteger(Number(value))) return value;
  return wrong(at, `is not of the type ${type}, or that has no choices`);
}

/** The fields of a plain object whose name and description are right, and which has no others than `known`. */
function parseFields(value: unknown, at: string, known: readonly string[]): Fields | Wrong {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return wrong(at, "expected an object");
  // One look at each field: what a getter says may change.
  const fields: Fields = { ...value };
  const { name, description } = fields;
  const strange = Object.keys(fields).find((field) => !known.includes(field));
  if (strange !== undefined)
    return wrong(`${at}.${strange.slice(0, 64)}`, `is not known, expected ${known.join(", ")}`);
  if (typeof name !== "string" || !nameFormat.test(name)) return wrong(`${at}.name`, `expected ${wantedName}`);
  if (typeof description !== "string" || description.trim() === "" || description.length > longestDescription)
    return wrong(`${at}.description`, `expected 1 to ${longestDescription} characters`);
  return fields;
}

function parseList<Item>(
  value: unknown,
  list: { readonly at: string; readonly most: number; readonly parse: (item: unknown, at: string) => Item | Wrong },
): readonly Item[] | Wrong {
  const { at, most, parse } = list;
  if (!Array.isArray(value) || value.length > most) return wrong(at, `expected an array of at most ${most}`);
  const items: Item[] = [];
  for (const [index, item] of value.entries()) {
    const parsed = parse(item, `${at}[${index}]`);
    if (isWrong(parsed)) return parsed;
    items.push(parsed);
  }
  return items;
}

class WrongField implements Wrong {
  readonly field: string;
  readonly problem: string;
  constructor(field: string, problem: string) {
    this.field = field;
    this.problem = problem;
  }
}

function wrong(field: string, problem: string): Wrong {
  return new WrongField(field, problem);
}

function isWrong(value: unknown): value is Wrong {
  return value instanceof WrongField;
}

function about(entry: unknown, { field, problem }: Wrong): CommandProblem {
  return { command: nameOf(entry), field, problem };
}

function nameOf(entry: unknown): string | null {
  try {
    const { name } = (entry ?? {}) as Fields;
    return typeof name === "string" ? name.slice(0, 64) : null;
  } catch {
    // Its problem has been told by its place already.
    return null;
  }
}
