/** Against a Bot API that nobody here wrote: the package telegram-test-api. */
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { describe, it } from "node:test";
import type Server from "telegram-test-api";
import type { EmittedMessage } from "../../../src/contract/message.ts";
import { parseResponse, type ResponseInput } from "../../../src/contract/response.ts";
import type { TelegramSettings } from "../../../src/contract/settings.ts";
import telegram from "../../../workers/telegram/adapter.ts";
import { Observed } from "../../conformance/observed.ts";
import { adapterContext } from "../../support/adapter-context.ts";
import { freePort } from "../../support/gateway-fixture.ts";

// It is CommonJS, and says otherwise in its types.
const TelegramServer = createRequire(import.meta.url)("telegram-test-api") as typeof Server.default;
const token = "123:third-party";

describe("telegram adapter against telegram-test-api", () => {
  it("hears a message, a command and a button, answers with text and edits", { timeout: 30_000 }, async () => {
    const server = new TelegramServer({ port: await freePort(), host: "127.0.0.1" });
    await server.start();
    const heard = new Observed<EmittedMessage>();
    const settings: TelegramSettings = {
      token,
      apiUrl: server.config.apiURL,
      webhookUrl: "",
      webhookSecret: "",
      port: 0,
      bind: "",
    };
    const { context } = adapterContext({
      settings,
      emit: async (message) => {
        heard.add(message);
        return message.id;
      },
    });
    const adapter = await telegram.start(context);
    try {
      const client = server.getClient(token);
      await client.sendMessage(client.makeMessage("hello"));
      const message = await heard.first(({ text }) => text === "hello", "a message");
      assert.equal(message.conversation, "1");
      await client.sendCommand(client.makeCommand("/start now"));
      assert.equal((await heard.first(({ text }) => text === "/start now", "a command")).kind, "text");
      await client.sendCallback(client.makeCallbackQuery("pressed"));
      const query = await heard.first(({ kind }) => kind === "interaction", "a button");
      assert.equal(query.metadata?.["action_id"], "pressed");

      const send = async (response: ResponseInput): Promise<void> => {
        const request = {
          conversation: "1",
          replyTo: message.replyTo ?? null,
          idempotencyKey: "k",
          signal: context.signal,
        };
        await adapter.send?.({ ...request, response: parseResponse(response) });
      };
      await send("**hi** <there>");
      await send({ kind: "stream_start" });
      await send({ kind: "stream_end", text: "the whole text" });
      const history = server.getUpdatesHistory(token) as readonly {
        readonly message?: { readonly text?: string; readonly parse_mode?: string };
      }[];
      const said = history.map((each) => each.message).filter((each) => each?.parse_mode === "HTML");
      assert.deepEqual(
        said.map((each) => each?.text),
        ["<b>hi</b> &lt;there&gt;", "the whole text"],
      );
      await adapter.probe?.();
    } finally {
      await adapter.stop();
      await server.stop();
    }
  });
});
