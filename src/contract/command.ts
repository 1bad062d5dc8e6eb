/** Commands that a consumer offers: registered where a platform has commands (Discord, Telegram), parsed from text where not. */

/** What an option's value may be. */
export const commandOptionTypes = ["string", "integer", "number", "boolean", "user", "channel"] as const;
/** One of {@link commandOptionTypes}. */
export type CommandOptionType = (typeof commandOptionTypes)[number];

/** One option of a command. */
export type CommandOption = {
  /** 1 to 32 of a-z, 0-9, `_` and `-`. */
  readonly name: string;
  /** 1 to 100 characters. */
  readonly description: string;
  readonly type: CommandOptionType;
  readonly required: boolean;
  /** At most 25, each at most 100 characters; empty: anything of the type. */
  readonly choices: readonly string[];
};

/** A {@link CommandDeclaration} as a module may write it: `options`, `isPrivate`, `required` and `choices` may be left out. */
export type CommandInput = Pick<CommandDeclaration, "name" | "description"> &
  Partial<Pick<CommandDeclaration, "isPrivate">> & {
    readonly options?: readonly (Pick<CommandOption, "name" | "description" | "type"> &
      Partial<Pick<CommandOption, "required" | "choices">>)[];
  };

/**
 * One command that a consumer offers.
 * Literal: `{ name: "status", description: "How things are", options: [], isPrivate: false }`
 */
export type CommandDeclaration = {
  /** 1 to 32 of a-z, 0-9, `_` and `-`. */
  readonly name: string;
  /** 1 to 100 characters. */
  readonly description: string;
  readonly options: readonly CommandOption[];
  /** The answer is shown to who asked alone, where the platform can. */
  readonly isPrivate: boolean;
};
