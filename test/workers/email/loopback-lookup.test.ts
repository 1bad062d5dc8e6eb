import assert from "node:assert/strict";
import type { LookupAddress } from "node:dns";
import { describe, it } from "node:test";
import { loopbackLookup, NotLoopbackError } from "../../../workers/email/loopback-lookup.ts";

type Answer = { readonly error: Error | null; readonly address: string | LookupAddress[] };

function look(found: readonly LookupAddress[], all: boolean): Promise<Answer> {
  const lookup = loopbackLookup((_, __, callback) => callback(null, [...found]));
  return new Promise((resolve) => {
    lookup("mail.localhost", { all }, (error, address) => resolve({ error, address }));
  });
}

const v4 = (address: string): LookupAddress => ({ address, family: 4 });
const v6 = (address: string): LookupAddress => ({ address, family: 6 });

describe("loopbackLookup()", () => {
  it("gives the addresses of this machine, in the form it is asked for", async () => {
    assert.deepEqual(await look([v6("::1"), v4("127.0.0.1")], true), {
      error: null,
      address: [v6("::1"), v4("127.0.0.1")],
    });
    assert.deepEqual(await look([v4("127.0.0.1")], false), { error: null, address: "127.0.0.1" });
  });

  for (const address of ["10.0.0.1", "192.0.2.7", "169.254.169.254"])
    it(`refuses a name that is ${address}, also beside one of this machine`, async () => {
      for (const all of [true, false]) {
        const { error } = await look([v4("127.0.0.1"), v4(address)], all);
        assert.ok(error instanceof NotLoopbackError);
        assert.match(error.message, new RegExp(RegExp.escape(address), "u"));
      }
    });

  it("passes on that a name is unknown", async () => {
    const lookup = loopbackLookup((_, __, callback) => callback(new Error("ENOTFOUND"), []));
    const error = await new Promise<Error | null>((resolve) => lookup("x.localhost", {}, resolve));
    assert.equal(error?.message, "ENOTFOUND");
  });
});
