import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { AutomationMarks, Mail } from "../../../workers/email/mail.ts";
import { type DropReason, dropReason } from "../../../workers/email/screening.ts";
import { aMail } from "./a-mail.ts";

const ownAddresses = new Set(["bot@mail.example"]);

function reason(fields: Partial<Mail>, allowedSenders: readonly string[] = []): DropReason | null {
  return dropReason(aMail(fields), { ownAddresses, allowedSenders });
}

function marked(marks: Partial<AutomationMarks>): Partial<Mail> {
  return { marks: { ...aMail().marks, ...marks } };
}

describe("dropReason()", () => {
  const rows: readonly (readonly [string, Partial<Mail>, DropReason | null])[] = [
    ["a person's mail", {}, null],
    ["a mail that says it was not sent by itself", marked({ autoSubmitted: "no" }), null],
    ["a notification", marked({ autoSubmitted: "auto-generated" }), "auto_submitted"],
    ["an out-of-office answer", marked({ autoSubmitted: "auto-replied" }), "auto_submitted"],
    ["an answering machine's", marked({ isAutoReply: true }), "auto_reply"],
    ["a bulk mail", marked({ precedence: "bulk" }), "bulk"],
    ["junk", marked({ precedence: "junk" }), "bulk"],
    ["a mail of a list by its precedence", marked({ precedence: "list" }), "bulk"],
    ["an automatic answer by its precedence", marked({ precedence: "auto_reply" }), "bulk"],
    ["a mail of some other precedence", marked({ precedence: "first-class" }), null],
    ["a newsletter", marked({ isList: true }), "list"],
    ["a delivery report", marked({ isReport: true }), "report"],
    ["a delivery report from nobody", { ...marked({ isReport: true }), from: null }, "report"],
    ["a mail from nobody", { from: null }, "no_sender"],
    ["our own mail", { from: { name: "Bot", address: "BOT@mail.example" } }, "own"],
  ];
  for (const [what, fields, expected] of rows)
    it(`${expected === null ? "keeps" : "drops"} ${what}`, () => assert.equal(reason(fields), expected));

  it("drops whom the policy keeps out", () => {
    assert.equal(reason({}, ["people.example"]), null);
    assert.equal(reason({}, ["other.example"]), "not_allowed");
  });
});
