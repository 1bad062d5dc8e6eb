import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { configSecrets } from "../../src/gateway/config-secrets.ts";
import { config, consumerConfig } from "../support/config-fixture.ts";

const target = (url: string, signingSecret = "") => ({ kind: "url", url, signingSecret }) as const;

describe("configSecrets()", () => {
  it("has a url consumer's signing secret and its URL, under its own name", () => {
    const consumers = [
      consumerConfig("main"),
      consumerConfig("posts", { target: target("https://example.org/hook", "s3cret") }),
    ];
    const secrets = configSecrets(config({ consumers }));
    assert.deepEqual([...secrets.keys()], ["consumer:posts"]);
    assert.deepEqual(new Set(secrets.get("consumer:posts")), new Set(["s3cret", "https://example.org/hook"]));
  });

  it("has the endpoints that conditions are posted to", () => {
    const secrets = configSecrets(
      config({ notify: [{ url: "https://a.example/T1" }, { url: "https://b.example/T2" }] }),
    );
    assert.deepEqual([...new Set(secrets.get("notify"))], ["https://a.example/T1", "https://b.example/T2"]);
  });

  it("has what in a URL is a secret by itself, whether or not it is percent-encoded", () => {
    const url = "https://user:p%C3%A4ss@example.org/?token=long-enough&v=2";
    const found = new Set(configSecrets(config({ notify: [{ url }] })).get("notify"));
    assert.ok(found.has("päss") && found.has("p%C3%A4ss") && found.has("long-enough"));
    assert.ok(!found.has("2") && !found.has(""));
    const odd = configSecrets(config({ notify: [{ url: "https://user:100%@example.org/" }] })).get("notify") ?? [];
    assert.ok(odd.some((secret) => secret.startsWith("100%")));
  });
});
