import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { parseCommands } from "../../src/contract/parse-commands.ts";

const status = { name: "status", description: "How things are" };
const option = { name: "depth", description: "How deep", type: "integer" };

/** The field that the one problem is about. */
function fieldOf(command: unknown): string {
  const { commands, problems } = parseCommands([command, status]);
  assert.deepEqual(
    commands.map(({ name }) => name),
    ["status"],
    "the others are taken",
  );
  assert.equal(problems.length, 1);
  return problems[0]?.field ?? "";
}

describe("parseCommands()", () => {
  it("fills in what may be left out", () => {
    const { commands, problems } = parseCommands([{ ...status, options: [option] }]);
    const filled = { ...option, required: false, choices: [] };
    assert.deepEqual(commands, [{ ...status, options: [filled], isPrivate: false }]);
    assert.deepEqual(problems, []);
  });

  it("keeps everything that is said, and is the same when it is read again", () => {
    const choices = ["1", "-2"];
    const whole = { ...status, options: [{ ...option, required: true, choices }], isPrivate: true };
    assert.deepEqual(parseCommands([whole]).commands, [whole]);
    assert.deepEqual(parseCommands(parseCommands([whole]).commands).commands, [whole]);
  });

  it("takes a module without commands as one", () => {
    assert.deepEqual(parseCommands(undefined), { commands: [], problems: [] });
  });

  const withOption = (change: Readonly<Record<string, unknown>>): unknown => ({
    name: "a",
    description: "A",
    options: [{ ...option, ...change }],
  });
  const wrong: readonly (readonly [title: string, command: unknown, field: string])[] = [
    ["no object", 7, "commands[0]"],
    ["a list", [], "commands[0]"],
    ["null", null, "commands[0]"],
    ["no name", { description: "x" }, "commands[0].name"],
    ["capital letters in its name", { name: "Status", description: "x" }, "commands[0].name"],
    ["a name of 33 characters", { name: "a".repeat(33), description: "x" }, "commands[0].name"],
    ["no description", { name: "a" }, "commands[0].description"],
    ["a blank description", { name: "a", description: " " }, "commands[0].description"],
    ["a description of 101 characters", { name: "a", description: "x".repeat(101) }, "commands[0].description"],
    ["isPrivate as a text", { name: "a", description: "A", isPrivate: "yes" }, "commands[0].isPrivate"],
    ["a field that nobody knows", { name: "a", description: "A", private: true }, "commands[0].private"],
    ["options that are no list", { name: "a", description: "A", options: {} }, "commands[0].options"],
    [
      "26 options",
      { name: "a", description: "A", options: Array.from({ length: 26 }, () => option) },
      "commands[0].options",
    ],
    ["an option twice", { name: "a", description: "A", options: [option, option] }, "commands[0].options[1].name"],
    ["an option without a type", withOption({ type: undefined }), "commands[0].options[0].type"],
    ["an option of a strange type", withOption({ type: "date" }), "commands[0].options[0].type"],
    ["required as a number", withOption({ required: 1 }), "commands[0].options[0].required"],
    ["a choice that is no text", withOption({ choices: [1] }), "commands[0].options[0].choices[0]"],
    ["an empty choice", withOption({ type: "string", choices: [""] }), "commands[0].options[0].choices[0]"],
    ["a choice that is no integer", withOption({ choices: ["1", "1.5"] }), "commands[0].options[0].choices[1]"],
    [
      "a choice that is no number",
      withOption({ type: "number", choices: ["many"] }),
      "commands[0].options[0].choices[0]",
    ],
    [
      "choices of a type without any",
      withOption({ type: "user", choices: ["u1"] }),
      "commands[0].options[0].choices[0]",
    ],
    [
      "26 choices",
      withOption({ choices: Array.from({ length: 26 }, (_, index) => String(index)) }),
      "commands[0].options[0].choices",
    ],
  ];
  for (const [title, command, field] of wrong)
    it(`leaves out a command with ${title}, and names the field`, () => assert.equal(fieldOf(command), field));

  it("leaves out one that throws when it is looked at", () => {
    const trap = {
      get name(): string {
        throw new Error("boo");
      },
    };
    const { problems } = parseCommands([trap]);
    assert.deepEqual(problems, [{ command: null, field: "commands[0]", problem: "cannot be read: boo" }]);
  });

  it("takes the first of two with one name", () => {
    const { commands, problems } = parseCommands([status, { ...status, description: "Other" }]);
    assert.deepEqual(
      commands.map(({ description }) => description),
      [status.description],
    );
    assert.deepEqual(
      problems.map(({ command, field }) => [command, field]),
      [["status", "commands[1].name"]],
    );
  });

  it("takes a hundred, and says that there were more", () => {
    const { commands, problems } = parseCommands(
      Array.from({ length: 102 }, (_, index) => ({ name: `c${index}`, description: "x" })),
    );
    assert.equal(commands.length, 100);
    assert.deepEqual(
      problems.map(({ field }) => field),
      ["commands[100]"],
    );
  });

  it("bounds them all together", () => {
    const choices = Array.from({ length: 25 }, (_, index) => String(index).padEnd(100, "x"));
    const options = Array.from({ length: 25 }, (_, index) => ({
      ...option,
      name: `o${index}`,
      type: "string",
      choices,
    }));
    const { commands, problems } = parseCommands(
      Array.from({ length: 10 }, (_, index) => ({ name: `c${index}`, description: "x", options })),
    );
    assert.ok(JSON.stringify(commands).length <= 262_144);
    assert.ok(commands.length > 0);
    assert.equal(commands.length + problems.length, 10);
  });

  it("says what is wrong with commands that are no list", () => {
    assert.deepEqual(parseCommands({ status }).problems, [
      { command: null, field: "commands", problem: "expected an array" },
    ]);
  });

  it("never throws, and what it takes it takes again", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.anything(), fc.record({ name: fc.string(), description: fc.string() }))),
        (given) => {
          const { commands } = parseCommands(given);
          assert.deepEqual(parseCommands(commands), { commands, problems: [] });
        },
      ),
    );
  });
});
