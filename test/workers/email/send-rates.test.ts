import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { sendRatesAt } from "../../../workers/email/send-rates.ts";

describe("sendRatesAt", () => {
  it("is what Microsoft publishes at its servers, and nothing elsewhere", () => {
    for (const host of ["smtp.office365.com", "SMTP-Mail.Outlook.com"]) {
      const { perSecond = 0, burst = 0 } = sendRatesAt(host).credential ?? {};
      assert.ok(perSecond > 0 && burst + 60 * perSecond <= 30, `${burst} and ${perSecond} a second`);
    }
    for (const host of ["smtp.gmail.com", "127.0.0.1", "notoutlook.com"]) assert.deepEqual(sendRatesAt(host), {});
  });
});
