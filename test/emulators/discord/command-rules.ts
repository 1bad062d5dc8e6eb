/** What Discord takes as slash commands. {@link https://discord.com/developers/docs/interactions/application-commands} */
import { listOf, textIn, type Fields } from "./fields.ts";
import { invalidField } from "./refusal.ts";

const name = /^[-_'\p{Ll}\p{Lm}\p{Lo}\p{N}]{1,32}$/u;

/** @throws {Refusal} as Discord does: one that is wrong refuses all of them. */
export function checkCommands(commands: readonly Fields[]): void {
  const slash = commands.filter(({ type }) => (type ?? 1) === 1);
  if (slash.length > 100)
    throw invalidField("", "APPLICATION_COMMANDS_MAX", "Maximum number of commands reached (100).");
  const names = slash.map((command) => textIn(command, "name"));
  if (new Set(names).size < names.length)
    throw invalidField("", "APPLICATION_COMMANDS_DUPLICATE_NAME", "Application command names must be unique");
  for (const [index, command] of slash.entries()) {
    checkNamed(command, `${index}`);
    const options = listOf(command["options"]);
    if (options.length > 25)
      throw invalidField(`${index}.options`, "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.");
    let isOptional = false;
    for (const [number, option] of options.entries()) {
      const at = `${index}.options.${number}`;
      checkNamed(option, at);
      if (option["required"] === true && isOptional)
        throw invalidField(
          at,
          "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
          "Required options must be placed before non-required options",
        );
      isOptional ||= option["required"] !== true;
      checkChoices(option, at);
    }
  }
}

function checkNamed(part: Fields, at: string): void {
  if (!name.test(textIn(part, "name")))
    throw invalidField(`${at}.name`, "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid");
  const description = textIn(part, "description");
  if (description.length < 1 || description.length > 100)
    throw invalidField(`${at}.description`, "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.");
}

function checkChoices(option: Fields, at: string): void {
  const choices = listOf(option["choices"]);
  if (choices.length > 25)
    throw invalidField(`${at}.choices`, "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.");
  const wanted = option["type"] === 3 ? "string" : "number";
  for (const [index, choice] of choices.entries())
    if (typeof choice["value"] !== wanted)
      throw invalidField(`${at}.choices.${index}.value`, "STRING_TYPE_CONVERT", `Could not interpret as ${wanted}`);
}
