import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { commandOptionTypes, type CommandDeclaration } from "../../../src/contract/command.ts";
import { differenceOf, toRegistered } from "../../../workers/discord/command-difference.ts";
import { checkCommands } from "../../emulators/discord/command-rules.ts";
import { command } from "./bench.ts";

const name = fc.stringMatching(/^[a-z0-9_-]{1,32}$/u);
const description = fc.string({ minLength: 1, maxLength: 120 });
const declaration: fc.Arbitrary<CommandDeclaration> = fc.record({
  name: fc.oneof(name, fc.string({ maxLength: 40 })),
  description,
  options: fc.array(
    fc.record({
      name,
      description,
      type: fc.constantFrom(...commandOptionTypes),
      required: fc.boolean(),
      choices: fc.array(fc.oneof(fc.string({ maxLength: 110 }), fc.integer().map(String)), { maxLength: 27 }),
    }),
    { maxLength: 27 },
  ),
  isPrivate: fc.boolean(),
});

describe("toRegistered()", () => {
  it("makes only what Discord takes, and names the rest", () => {
    fc.assert(
      fc.property(fc.array(declaration, { maxLength: 120 }), (commands) => {
        const { wanted, refused } = toRegistered(commands);
        checkCommands(wanted);
        const names = new Set(wanted.map((each) => each["name"]));
        for (const { name: each } of commands) assert.ok(names.has(each) || refused.includes(each));
      }),
      { numRuns: 60 },
    );
  });
});

describe("differenceOf()", () => {
  it("finds none once it is registered, whatever Discord adds or leaves out", () => {
    fc.assert(
      fc.property(fc.array(declaration, { maxLength: 10 }), (commands) => {
        const { wanted } = toRegistered(commands);
        const answered = wanted.map(({ options, ...rest }, index) => ({
          id: `${index}`,
          version: "1",
          nsfw: false,
          ...rest,
          ...(Array.isArray(options) && options.length > 0 ? { options } : {}),
        }));
        assert.equal(differenceOf(answered.toReversed(), wanted), null);
      }),
      { numRuns: 60 },
    );
  });

  it("finds each thing that is ours to say", () => {
    const option = { name: "o", description: "d", type: "string", required: false, choices: ["a"] } as const;
    const { wanted: known } = toRegistered([command({ options: [option] })]);
    const changes = [
      [],
      [command({ options: [option], name: "other" })],
      [command({ options: [option], description: "new" })],
      [command()],
      [command({ options: [{ ...option, required: true }] })],
      [command({ options: [{ ...option, choices: ["a", "b"] }] })],
      [command({ options: [{ ...option, type: "integer", choices: [] }] })],
      [command({ options: [option] }), command({ name: "second" })],
    ];
    for (const commands of changes) assert.notEqual(differenceOf(known, toRegistered(commands).wanted), null);
  });
});
