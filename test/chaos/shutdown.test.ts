/** The end of a gateway: with work in flight, with work that never ends, in a hurry, and in one process. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, readFileSync, watch } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { WebSocket } from "ws";
import { faultAdapterPath, freePort, GatewayHome, WebhookClient } from "../support/gateway-fixture.ts";
import { processesOf } from "../support/processes-of.ts";

const handler = `import { appendFileSync, existsSync, watch } from "node:fs";
import { once } from "node:events";
const here = new URL("./", import.meta.url);
const released = new URL("./released", import.meta.url);
async function release() {
  const watcher = watch(here);
  while (!existsSync(released)) await once(watcher, "change");
  watcher.close();
}
export default async function handle({ text, attempt, redelivered }) {
  appendFileSync(new URL("./handled.jsonl", import.meta.url), JSON.stringify({ text, attempt, redelivered }) + "\\n");
  if (text === "waits") await release();
  if (text === "forever" && !redelivered) await new Promise(() => {});
  if (text === "spins" && !redelivered) for (;;);
  return "did " + text;
}
`;

const moduleConsumer = `[[consumers]]\nname = "main"\nmodule = "./handler.mjs"\n`;

async function home(config: string): Promise<{ home: GatewayHome; port: number; client: WebhookClient }> {
  const made = new GatewayHome();
  const port = await freePort();
  made.writeFile("handler.mjs", handler);
  made.writeConfig(`${config}[messaging.webhook]\nport = ${port}\n`);
  return { home: made, port, client: new WebhookClient(port) };
}

/** Resolves when the handler has begun with `text`. By its file: what a spinning thread logs stays in it. */
async function handling(place: GatewayHome, text: string): Promise<void> {
  const path = join(place.dir, "handled.jsonl");
  const watcher = watch(place.dir);
  try {
    while (!existsSync(path) || !readFileSync(path, "utf8").includes(`"${text}"`)) await once(watcher, "change");
  } finally {
    watcher.close();
  }
}

function handledOf(place: GatewayHome): unknown[] {
  const lines = readFileSync(join(place.dir, "handled.jsonl"), "utf8").trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line) as unknown);
}

async function allGone(place: GatewayHome): Promise<void> {
  while (processesOf(place.dir).some(({ isZombie }) => !isZombie))
    await new Promise((resolve) => setImmediate(resolve));
}

describe("SIGTERM", () => {
  it("lets a handler in flight finish: its reply is in the mailbox after the next start", async () => {
    const { home: place, client } = await home(moduleConsumer);
    {
      await using gateway = await place.start();
      await gateway.reached("webhook", "running");
      await client.post({ conversation_id: "room", content: "waits" });
      await handling(place, "waits");
      const stopping = gateway.logged(({ event }) => event === "gateway-stopping");
      gateway.signal("SIGTERM");
      await stopping;
      // Nothing new comes in; the adapters stay until the handler is done.
      for (let index = 0; index < 20; index += 1)
        assert.equal((await client.post({ conversation_id: "late", content: `${index}` })).status, 503);
      place.writeFile("released", "");
      assert.equal(await gateway.ended, 0);
    }
    await using gateway = await place.start();
    await gateway.reached("webhook", "running");
    assert.deepEqual((await client.poll("room")).texts, ["did waits"]);
    assert.deepEqual(handledOf(place), [{ text: "waits", attempt: 1, redelivered: false }]);
    assert.equal((await gateway.status()).consumers[0]?.pending, 0);
  });

  for (const text of ["forever", "spins"])
    it(`ends in its time though a handler goes on ${text === "spins" ? "spinning" : "for ever"}; the message comes again, uncounted`, async () => {
      const { home: place, client } = await home(`[gateway]\nshutdown_timeout_ms = 3000\n${moduleConsumer}`);
      {
        await using gateway = await place.start();
        await gateway.reached("webhook", "running");
        await client.post({ conversation_id: "room", content: text });
        await handling(place, text);
        gateway.signal("SIGTERM");
        // Not by its own SIGKILL, which is for the deadline.
        assert.equal(await gateway.ended, 0);
      }
      assert.deepEqual(processesOf(place.dir), []);
      await using gateway = await place.start();
      await gateway.reached("webhook", "running");
      assert.deepEqual((await client.poll("room")).texts, [`did ${text}`]);
      assert.deepEqual(handledOf(place), [
        { text, attempt: 1, redelivered: false },
        { text, attempt: 1, redelivered: true },
      ]);
    });

  it("twice ends it at once, and nothing of it is left", async () => {
    const { home: place, client } = await home(`[gateway]\nshutdown_timeout_ms = 60000\n${moduleConsumer}`);
    await using gateway = await place.start();
    await gateway.reached("webhook", "running");
    await client.post({ conversation_id: "room", content: "forever" });
    await handling(place, "forever");
    const stopping = gateway.logged(({ event }) => event === "gateway-stopping");
    gateway.signal("SIGTERM");
    await stopping;
    gateway.signal("SIGTERM");
    assert.equal(await gateway.ended, "SIGKILL");
    await allGone(place);
    await using next = await place.start();
    await next.reached("webhook", "running");
    assert.deepEqual((await client.poll("room")).texts, ["did forever"]);
  });

  it("is not held up by an adapter whose stop hangs, nor by one that spins", async () => {
    const fault = (name: string, settings: string): string =>
      `[messaging.${name}]\nmodule = "${faultAdapterPath}"\n[messaging.${name}.settings]\n${settings}\n`;
    const { home: place, client } = await home(
      `[gateway]\nshutdown_timeout_ms = 3000\n[supervisor]\nstop_timeout_ms = 60000\nhang_after_ms = 60000\n` +
        `[[consumers]]\nname = "main"\nbuiltin = "echo"\n${fault("hangs", 'atStop = "hang"')}${fault("spins", "")}`,
    );
    await using gateway = await place.start();
    await gateway.reached("webhook", "running");
    await gateway.reached("hangs", "running");
    await gateway.reached("spins", "running");
    await gateway.provoke("spins", { do: "spin" });
    assert.deepEqual(await client.roundTrip("room", "hello"), ["hello"]);
    gateway.signal("SIGTERM");
    assert.equal(await gateway.ended, 0);
    assert.deepEqual(processesOf(place.dir), []);
  });

  it("asks what an adapter has spawned to end, and leaves nothing of it behind though it does not", async () => {
    const { home: place } = await home(
      `[hosts]\npermissions = false\n[messaging.fault]\nmodule = "${faultAdapterPath}"\n` +
        `[[consumers]]\nname = "main"\nbuiltin = "echo"\n`,
    );
    const path = join(place.dir, "child");
    await using gateway = await place.start();
    await gateway.reached("fault", "running");
    const watcher = watch(place.dir);
    await gateway.provoke("fault", { do: "spawn", path, heedsSigterm: false });
    while (!existsSync(path) || readFileSync(path, "utf8") === "") await once(watcher, "change");
    watcher.close();
    const pid = readFileSync(path, "utf8");
    gateway.signal("SIGTERM");
    assert.equal(await gateway.ended, 0);
    await allGone(place);
    assert.equal(readFileSync(path, "utf8"), `${pid} SIGTERM`);
  });

  it("in the midst of a run loses nothing that was accepted and repeats nothing", async () => {
    const { home: place, client } = await home(moduleConsumer);
    const accepted: string[] = [];
    {
      await using gateway = await place.start();
      await gateway.reached("webhook", "running");
      let isEnding = false;
      const lanes = Array.from({ length: 20 }, async (_, lane) => {
        for (let index = 0; ; index += 1) {
          const content = `${lane}-${index}`;
          const answer = await client
            .post({ conversation_id: `c${lane}`, content, message_id: content })
            .catch(() => null);
          if (answer?.status === 202) accepted.push(content);
          else if (isEnding) return;
          if (!isEnding && accepted.length > 500) {
            isEnding = true;
            gateway.signal("SIGTERM");
          }
        }
      });
      assert.equal(await gateway.ended, 0);
      await Promise.all(lanes);
    }
    await using gateway = await place.start();
    await gateway.reached("webhook", "running");
    for (let lane = 0; lane < 20; lane += 1) {
      const wanted = accepted.filter((text) => text.startsWith(`${lane}-`)).map((text) => `did ${text}`);
      const answered: string[] = [];
      for (let cursor = 0; answered.length < wanted.length;) {
        const page = await client.poll(`c${lane}`, cursor);
        answered.push(...page.texts);
        ({ cursor } = page);
      }
      assert.deepEqual(answered.slice(0, wanted.length), wanted);
    }
    const texts = handledOf(place).map((line) => (line as { readonly text: string }).text);
    assert.equal(new Set(texts).size, texts.length, "a message was handled twice");
  });
});

/** Says `text` in the web chat, and resolves with what comes back. */
async function chat(port: number, text: string): Promise<string> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`);
  const answer = Promise.withResolvers<string>();
  socket.on("error", answer.reject);
  socket.on("close", () => answer.reject(new Error("the socket closed")));
  socket.on("open", () =>
    socket.send(JSON.stringify({ type: "hello", conversation: "c".repeat(22), after: 0, token: "" })),
  );
  socket.on("message", (data: Buffer) => {
    const frame = JSON.parse(data.toString("utf8")) as { readonly type: string; readonly response?: { text: string } };
    if (frame.type === "ready") socket.send(JSON.stringify({ type: "message", clientId: "1", text }));
    if (frame.type === "entry") answer.resolve(frame.response?.text ?? "");
  });
  try {
    return await answer.promise;
  } finally {
    socket.terminate();
  }
}

describe("a gateway with its threads inline", () => {
  it("serves, restarts what fails and ends, all in one process", async () => {
    const chatPort = await freePort();
    const { home: place, client } = await home(
      `[hosts]\nmode = "inline"\n[supervisor]\nbackoff_min_ms = 50\nhang_after_ms = 1000\n${moduleConsumer}` +
        `[[consumers]]\nname = "other"\nbuiltin = "echo"\n[[bindings]]\nconsumer = "other"\nchannel = "webchat"\n` +
        `[messaging.webchat]\nport = ${chatPort}\n[messaging.fault]\nmodule = "${faultAdapterPath}"\n`,
    );
    await using gateway = await place.start();
    const before = await gateway.reached("webhook", "running");
    assert.deepEqual([before.host?.kind, before.host?.pid], ["inline", gateway.pid]);
    await gateway.reached("webchat", "running");
    const fault = await gateway.reached("fault", "running");
    assert.deepEqual(await client.roundTrip("room", "hello"), ["did hello"]);
    assert.equal(await chat(chatPort, "hi"), "hi");
    assert.deepEqual(
      processesOf(place.dir).map(({ pid }) => pid),
      [gateway.pid],
    );

    let { generation } = fault;
    for (const [command, reason] of [
      ["throw", "crashed"],
      ["exit", "exited"],
      ["spin", "hung"],
    ] as const) {
      await gateway.provoke("fault", { do: command });
      const after = await gateway.reached("fault", "running", (status) => status.generation !== generation);
      assert.equal(after.restartsByReason[reason], 1, command);
      ({ generation } = after);
      assert.deepEqual(await client.roundTrip("room", command), [`did ${command}`]);
    }
    assert.equal((await gateway.reached("webhook", "running")).generation, before.generation);
    gateway.signal("SIGTERM");
    assert.equal(await gateway.ended, 0);
  });
});
