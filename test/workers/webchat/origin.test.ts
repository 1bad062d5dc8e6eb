import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isAllowedOrigin, type OriginCheck } from "../../../workers/webchat/origin.ts";

const own: OriginCheck = {
  origin: "https://chat.example.com",
  host: "chat.example.com",
  allowedOrigins: [],
  needsUnforgeableHost: false,
};

describe("isAllowedOrigin()", () => {
  const cases: readonly (readonly [string, Partial<OriginCheck>, boolean])[] = [
    ["its own page", {}, true],
    ["its own page with a port", { origin: "http://10.0.0.2:8788", host: "10.0.0.2:8788" }, true],
    ["its own page, the scheme's port spelled out", { host: "chat.example.com:443" }, true],
    ["its own page in another case", { host: "Chat.Example.com" }, true],
    ["its own page over IPv6", { origin: "http://[::1]:8788", host: "[::1]:8788" }, true],
    ["a program, which sends no origin", { origin: undefined }, true],
    ["another site", { origin: "https://evil.example" }, false],
    ["another port of the same machine", { origin: "https://chat.example.com:8443" }, false],
    ["a name that only begins like it", { origin: "https://chat.example.com.evil.example" }, false],
    ["a sandboxed page", { origin: "null" }, false],
    ["a local file", { origin: "file://" }, false],
    ["nonsense", { origin: "not an origin" }, false],
    ["a page without a host", { host: undefined }, false],
    [
      "a site the settings name",
      { origin: "https://www.example.com", allowedOrigins: ["https://www.example.com"] },
      true,
    ],
    [
      "one they name with a slash",
      { origin: "https://www.example.com", allowedOrigins: ["https://www.example.com/"] },
      true,
    ],
    [
      "one they name with another scheme",
      { origin: "http://www.example.com", allowedOrigins: ["https://www.example.com"] },
      false,
    ],
    ["a sandboxed page, whatever they name", { origin: "null", allowedOrigins: ["null", "file://x"] }, false],
    [
      "a foreign name pointed at this machine",
      { origin: "http://evil.example:8788", host: "evil.example:8788", needsUnforgeableHost: true },
      false,
    ],
    [
      "this machine by its own name",
      { origin: "http://localhost:8788", host: "localhost:8788", needsUnforgeableHost: true },
      true,
    ],
    [
      "a name in front of this machine that the settings allow",
      {
        origin: "https://chat.example.com",
        allowedOrigins: ["https://chat.example.com"],
        needsUnforgeableHost: true,
      },
      true,
    ],
  ];
  for (const [title, check, expected] of cases)
    it(`${expected ? "allows" : "refuses"} ${title}`, () =>
      assert.equal(isAllowedOrigin({ ...own, ...check }), expected));
});
