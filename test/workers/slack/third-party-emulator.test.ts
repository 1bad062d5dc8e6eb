/** What goes out, against an emulator of Slack's Web API that others wrote. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { createEmulator, type Emulator } from "emulate";
import type { RunningAdapter } from "../../../src/contract/adapter.ts";
import { parseResponse, type ResponseInput } from "../../../src/contract/response.ts";
import type { SlackSettings } from "../../../src/contract/settings.ts";
import slack from "../../../workers/slack/adapter.ts";
import { adapterContext } from "../../support/adapter-context.ts";
import { freePort } from "../../support/gateway-fixture.ts";

const token = "xoxb-third-party-test-token";
const channel = "C000000001";

const allScopes = [
  "chat:write",
  "channels:read",
  "channels:history",
  "users:read",
  "files:read",
  "files:write",
  "reactions:read",
  "reactions:write",
];

type Json = Readonly<Record<string, unknown>>;

function listOf(value: unknown): readonly Json[] {
  return (value ?? []) as readonly Json[];
}

class Running implements AsyncDisposable {
  readonly adapter: RunningAdapter;
  readonly #emulator: Emulator;
  #sends = 0;

  constructor(adapter: RunningAdapter, emulator: Emulator) {
    this.adapter = adapter;
    this.#emulator = emulator;
  }

  static async start(scopes: string[] = allScopes): Promise<Running> {
    const emulator = await createEmulator({
      service: "slack",
      port: await freePort(),
      seed: { tokens: { [token]: { login: "admin", scopes } }, slack: { strict_scopes: true } },
    });
    const test = adapterContext<SlackSettings>({
      settings: {
        botToken: token,
        appToken: "",
        signingSecret: "a signing secret",
        port: 0,
        bind: "127.0.0.1",
        apiUrl: `${emulator.url}/api/`,
        catchUp: true,
      },
    });
    try {
      return new Running(await slack.start(test.context), emulator);
    } catch (reason) {
      await emulator.close();
      throw reason;
    }
  }

  async send(response: ResponseInput, replyTo: Readonly<Record<string, string>> | null = null): Promise<string> {
    this.#sends += 1;
    const receipt = await this.adapter.send?.({
      conversation: channel,
      response: parseResponse(response),
      replyTo,
      idempotencyKey: `key-${this.#sends}`,
      signal: AbortSignal.timeout(10_000),
    });
    return receipt?.platformMessageId ?? "";
  }

  async call(method: string, fields: Readonly<Record<string, string>>): Promise<Json> {
    const response = await fetch(`${this.#emulator.url}/api/${method}`, {
      method: "POST",
      headers: { Authorization: `Bearer ${token}` },
      body: new URLSearchParams(fields),
    });
    return (await response.json()) as Json;
  }

  /** The channel's messages, newest first. */
  async messages(): Promise<readonly Json[]> {
    const { messages } = await this.call("conversations.history", { channel, include_all_metadata: "true" });
    return messages as readonly Json[];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.adapter.stop();
    await this.#emulator.close();
  }
}

describe("slack adapter, against a third party's emulator", () => {
  it("starts, and names the scope that a token lacks", async () => {
    await using running = await Running.start(["users:read"]);
    await running.adapter.probe?.();
    await assert.rejects(running.send("may I"), { code: "forbidden", message: /lacks chat:write/u });
  });

  it("posts, replies in a thread, and edits a stream", async () => {
    await using running = await Running.start();
    const ts = await running.send("**hello** there");
    const [first] = await running.messages();
    assert.deepEqual([first?.["ts"], first?.["text"]], [ts, "*hello* there"]);
    assert.deepEqual(first?.["blocks"], [{ type: "markdown", text: "**hello** there" }]);
    await running.send({ kind: "thread_reply", threadName: "t", text: "in the thread" }, { channel, ts });
    const { messages } = await running.call("conversations.replies", { channel, ts });
    assert.deepEqual(
      (messages as readonly Json[]).map(({ text }) => text),
      ["*hello* there", "in the thread"],
    );
    await running.send({ kind: "stream_start" });
    await running.send({ kind: "stream_end", text: "all of it" });
    assert.equal((await running.messages())[0]?.["text"], "all of it");
  });

  it("reacts and takes it back, twice each", async () => {
    await using running = await Running.start();
    const ts = await running.send("react to this");
    for (const kind of ["reaction", "reaction"] as const) await running.send({ kind, emoji: "👍" }, { channel, ts });
    const [reacted] = await running.messages();
    assert.deepEqual(
      listOf(reacted?.["reactions"]).map(({ name }) => name),
      ["+1"],
    );
    for (const kind of ["remove_reaction", "remove_reaction"] as const)
      await running.send({ kind, emoji: "👍" }, { channel, ts });
    assert.deepEqual((await running.messages())[0]?.["reactions"] ?? [], []);
  });

  it("uploads a file and fetches it again", async () => {
    await using running = await Running.start();
    const bytes = Buffer.from("the file's own bytes");
    const id = await running.send({ kind: "file", filename: "a.txt", data: bytes.toString("base64"), caption: "look" });
    const [message] = await running.messages();
    assert.equal(listOf(message?.["files"])[0]?.["id"], id);
    const folder = mkdtempSync(join(tmpdir(), "bulkhead-slack-"));
    const path = join(folder, "file");
    try {
      const request = { ref: id, path, maxBytes: 1_000, signal: AbortSignal.timeout(10_000) };
      await running.adapter.attachment?.(request);
      assert.ok(readFileSync(path).equals(bytes));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("tells history and finds nobody's channel", async () => {
    await using running = await Running.start();
    for (const text of ["one", "two"]) await running.send(text);
    const past = await running.adapter.history?.({ conversation: channel, replyTo: null, limit: 2, before: null });
    assert.deepEqual(
      past?.map(({ text }) => text),
      ["one", "two"],
    );
    const request = {
      response: parseResponse("x"),
      replyTo: null,
      idempotencyKey: "k",
      signal: AbortSignal.timeout(9_000),
    };
    await assert.rejects(async () => running.adapter.send?.({ conversation: "C0NOWHERE", ...request }), {
      code: "not_found",
    });
  });
});
