import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parseReplyTo } from "../../../src/contract/reply-to.ts";
import { routeFrom, routeOf, storedRoute } from "../../../workers/email/reply-route.ts";
import { aMail } from "./a-mail.ts";

const replyTo = { name: "", address: "elsewhere@other.example" };

describe("routeOf()", () => {
  it("goes to who wrote it, and hangs on what was written", () => {
    assert.deepEqual(routeOf(aMail({ references: ["<r@x>", "<s@x>"] }), []), {
      to: "ann@people.example",
      subject: "A question",
      messageId: "<first@people.example>",
      references: ["<r@x>", "<s@x>"],
    });
    assert.equal(routeOf(aMail({ from: null }), []), null);
  });

  it("goes to Reply-To only where that address may write as well", () => {
    assert.equal(routeOf(aMail({ replyTo }), [])?.to, replyTo.address);
    assert.equal(routeOf(aMail({ replyTo }), ["people.example", "other.example"])?.to, replyTo.address);
    assert.equal(routeOf(aMail({ replyTo }), ["people.example"])?.to, "ann@people.example");
  });

  it("keeps the root and the last ones of a long chain", () => {
    const references = Array.from({ length: 60 }, (_, index) => `<${index}@x>`);
    const route = routeOf(aMail({ references }), []);
    assert.equal(route?.references.length, 12);
    assert.deepEqual([route?.references[0], route?.references.at(-1)], ["<0@x>", "<59@x>"]);
    assert.deepEqual(routeOf(aMail({ inReplyTo: "<q@x>" }), [])?.references, ["<q@x>"]);
  });
});

describe("storedRoute()", () => {
  const id = fc.stringMatching(/^<[\w.+-]{1,300}@[\w.-]{1,40}>$/u);

  it("always fits where it is stored, and comes back as it was", () => {
    fc.assert(
      fc.property(
        fc.array(id, { maxLength: 40 }),
        id,
        fc.string({ maxLength: 998 }),
        (references, messageId, subject) => {
          const route = routeOf(aMail({ references, messageId, subject }), []);
          assert.ok(route !== null);
          const stored = storedRoute(route);
          assert.deepEqual(parseReplyTo(stored), stored);
          const back = routeFrom(stored);
          assert.deepEqual(back, { ...route, subject: subject.slice(0, 256).toWellFormed() });
        },
      ),
    );
  });

  it("is checked when it comes back: it was in other hands", () => {
    assert.equal(routeFrom(null), null);
    assert.equal(routeFrom({}), null);
    assert.equal(routeFrom({ to: "a@b.c, d@e.f", subject: "x" }), null);
    assert.equal(routeFrom({ to: "a@b.c\r\nBcc: d@e.f", subject: "x" }), null);
    const route = routeFrom({ to: "a@b.c", message_id: "<x@y>\r\nBcc: d@e.f", reference_0: "no id" });
    assert.deepEqual(route, { to: "a@b.c", subject: "", messageId: "<x@y>", references: [] });
  });
});
