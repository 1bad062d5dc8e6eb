import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  chosenIn,
  parseActions,
  parseCommand,
  parseShortcut,
  parseSubmission,
} from "../../../workers/slack/interaction.ts";
import { parsePost, parseReaction } from "../../../workers/slack/post.ts";
import { fieldsOf } from "../../../workers/slack/fields.ts";

const option = (value: string, text: string): unknown => ({ value, text: { type: "plain_text", text } });

describe("chosenIn()", () => {
  const rows: readonly (readonly [string, Readonly<Record<string, unknown>>, readonly string[], string])[] = [
    ["button", { value: "v", text: { text: "Go" } }, ["v"], "Go"],
    ["static_select", { selected_option: option("1", "One") }, ["1"], "One"],
    ["multi_static_select", { selected_options: [option("1", "One"), option("2", "Two")] }, ["1", "2"], "One, Two"],
    ["external_select", { selected_option: option("x", "X") }, ["x"], "X"],
    ["overflow", { selected_option: option("o", "O") }, ["o"], "O"],
    ["radio_buttons", { selected_option: option("r", "R") }, ["r"], "R"],
    ["checkboxes", { selected_options: [option("a", "A")] }, ["a"], "A"],
    ["users_select", { selected_user: "U1" }, ["U1"], ""],
    ["multi_users_select", { selected_users: ["U1", "U2"] }, ["U1", "U2"], ""],
    ["conversations_select", { selected_conversation: "C1" }, ["C1"], ""],
    ["multi_conversations_select", { selected_conversations: ["C1"] }, ["C1"], ""],
    ["channels_select", { selected_channel: "C1" }, ["C1"], ""],
    ["multi_channels_select", { selected_channels: ["C1", "C2"] }, ["C1", "C2"], ""],
    ["datepicker", { selected_date: "2026-01-02" }, ["2026-01-02"], ""],
    ["timepicker", { selected_time: "12:30" }, ["12:30"], ""],
    ["datetimepicker", { selected_date_time: 1_700_000_000 }, ["1700000000"], ""],
    ["plain_text_input", { value: "typed" }, ["typed"], ""],
    ["number_input", { value: "7" }, ["7"], ""],
    ["rich_text_input", { rich_text_value: { type: "rich_text" } }, ['{"type":"rich_text"}'], ""],
    ["file_input", { files: [{ id: "F1" }, { id: "F2" }] }, ["F1", "F2"], ""],
    ["nothing chosen", { selected_option: null, value: null, selected_users: [] }, [], ""],
  ];
  for (const [type, action, values, label] of rows)
    it(`reads ${type}`, () => {
      assert.deepEqual(chosenIn({ type, ...action }), { values, label });
    });
});

describe("parsing what Slack sends", () => {
  const shapes = fc.object({
    key: fc.constantFrom(
      "type",
      "event",
      "channel",
      "user",
      "ts",
      "message",
      "actions",
      "view",
      "item",
      "state",
      "values",
      "id",
      "trigger_id",
      "text",
      "files",
      "subtype",
      "edited",
    ),
    values: [fc.string(), fc.integer(), fc.boolean(), fc.constant(null)],
    maxDepth: 4,
    withNullPrototype: true,
  });

  it("never throws, whatever it is", () => {
    fc.assert(
      fc.property(shapes, (value) => {
        const fields = fieldsOf(value);
        for (const parse of [parsePost, parseReaction, parseActions, parseSubmission, parseShortcut]) parse(fields);
        parseCommand(fields, { name: "x", rest: "" });
      }),
    );
  });
});
