/** What an adapter says of a message beside its text, all the way to a handler and back to the adapter. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { GatewayHome } from "./support/gateway-fixture.ts";

/** Says one message when it starts; tells the log what it is asked to send. */
const adapterModule = `
import { writeFile } from "node:fs/promises";
export default {
  platform: "acme", capabilities: { text: "native", rich_message: "native" }, maxSilenceMs: 0,
  async start(context) {
    void context.emit({
      id: "1", conversation: "room", sender: { id: "ann" }, text: "hello",
      attachments: [{ filename: "a.txt", mimeType: "text/plain", ref: "file-7" }, { filename: "b.txt" }],
      replyTo: { thread: "T-9" },
    });
    return {
      async send({ conversation, response, replyTo }) {
        context.log.info("acme-sent", { conversation, response, replyTo });
        return { platformMessageId: "p1" };
      },
      async setStatus({ status, replyTo }) { context.log.info("acme-status", { status, replyTo }); },
      async history({ replyTo, before }) { return [{ author: String(replyTo?.thread), text: String(before), isBot: false, timestamp: null }]; },
      async attachment({ ref, path, maxBytes }) {
        const bytes = Buffer.from("bytes of " + ref);
        if (bytes.length > maxBytes) throw Object.assign(new Error("Cannot fetch it: too large"), { code: "too_large" });
        await writeFile(path, bytes);
        return { sizeBytes: bytes.length };
      },
      async stop() {},
    };
  },
};`;

const handlerModule = `
export default async function handle(message, context) {
  await context.setStatus("thinking");
  const [past] = await context.history();
  const [file, other] = message.attachments;
  const read = async (attachment, options) => {
    try { return Buffer.from(await attachment.read(options)).toString(); } catch (error) { return error.code; }
  };
  await context.reply({ kind: "rich_message", text: [await read(file), await read(other), await read(file, { maxBytes: 3 })].join("|") });
  context.log.info("handler-saw", { names: Object.keys(message), past });
  return "done";
}`;

describe("a message's replyTo and attachments", () => {
  it("come back with each reply, its status and its history; files are fetched by their adapter when read", async () => {
    const home = new GatewayHome();
    home.writeFile("acme.mjs", adapterModule);
    home.writeFile("handler.mjs", handlerModule);
    home.writeConfig(
      '[[consumers]]\nname = "main"\nmodule = "./handler.mjs"\n[messaging.acme]\nmodule = "./acme.mjs"\n',
    );
    await using gateway = await home.start();
    const sent = (kind: string) =>
      gateway.logged((line) => line.event === "acme-sent" && (line["response"] as { kind: string }).kind === kind);
    const replyTo = { thread: "T-9" };
    const rich = await sent("rich_message");
    assert.deepEqual([rich["conversation"], rich["replyTo"]], ["room", replyTo]);
    assert.equal((rich["response"] as { text: string }).text, "bytes of file-7|not_found|too_large");
    const text = await sent("text");
    assert.deepEqual([text["response"], text["replyTo"]], [{ kind: "text", text: "done" }, replyTo]);
    assert.deepEqual((await gateway.logged(({ event }) => event === "acme-status"))["replyTo"], replyTo);
    const saw = await gateway.logged(({ event }) => event === "handler-saw");
    assert.deepEqual(saw["past"], { author: "T-9", text: "1", isBot: false, timestamp: null });
    assert.ok(!(saw["names"] as readonly string[]).includes("replyTo"));
    assert.deepEqual(readdirSync(join(home.dir, "data", "attachments")), []);
  });

  it("answers by POST /v1/messages/{id}/respond to the same place", async () => {
    const home = new GatewayHome();
    home.writeFile("acme.mjs", adapterModule);
    home.writeFile("handler.mjs", "export default async (message, { log }) => log.info('seen', { id: message.id });");
    home.writeConfig(
      '[[consumers]]\nname = "main"\nmodule = "./handler.mjs"\n[messaging.acme]\nmodule = "./acme.mjs"\n',
    );
    await using gateway = await home.start();
    const { id } = await gateway.logged(({ event }) => event === "seen");
    const answer = await gateway.admin("POST", `/v1/messages/${String(id)}/respond`, { text: "later" });
    assert.equal(answer.status, 202);
    const sent = await gateway.logged(({ event }) => event === "acme-sent");
    assert.deepEqual([sent["response"], sent["replyTo"]], [{ kind: "text", text: "later" }, { thread: "T-9" }]);
  });
});
