/** The journal's disk and file at their worst: unwritable, full, damaged. */
import assert from "node:assert/strict";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { freePort, GatewayHome, WebhookClient } from "../support/gateway-fixture.ts";
import { hasCondition, statusWhere } from "../support/gateway-events.ts";
import { handledIn, notingHandler } from "../support/numbered-run.ts";
import { SmallDisk, whyNoMount } from "../support/small-disk.ts";
import { UnwritableFiles, whyNoLimit } from "../support/unwritable-files.ts";

async function echoHome(): Promise<{ home: GatewayHome; port: number; client: WebhookClient; dataDir: string }> {
  const home = new GatewayHome();
  const port = await freePort();
  home.writeConfig(`[[consumers]]\nname = "main"\nbuiltin = "echo"\n[messaging.webhook]\nport = ${port}\n`);
  return { home, port, client: new WebhookClient(port), dataDir: join(home.dir, "data") };
}

/** Starts what cannot start: its exit code, and all it said. */
async function failedStart(home: GatewayHome): Promise<{ readonly exitCode: number; readonly sentences: string[] }> {
  try {
    await using _gateway = await home.start();
  } catch (reason) {
    const [first = "", ...sentences] = (reason as Error).message.split("\n");
    return { exitCode: Number(/ended \((-?\d+)\)/u.exec(first)?.[1]), sentences };
  }
  throw new assert.AssertionError({ message: "the gateway started" });
}

/** Posts one message; also what a refused client is told. */
async function post(port: number, id: string, content: string): Promise<{ status: number; retryAfter: string | null }> {
  const response = await fetch(`http://127.0.0.1:${port}/send`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ conversation_id: "room", content, message_id: id }),
  });
  await response.arrayBuffer();
  return { status: response.status, retryAfter: response.headers.get("retry-after") };
}

/** What is in a mailbox from its beginning to `last`. */
async function allUpTo(client: WebhookClient, conversation: string, last: string): Promise<readonly string[]> {
  const texts: string[] = [];
  for (let cursor = 0; texts.at(-1) !== last;) {
    const page = await client.poll(conversation, cursor);
    texts.push(...page.texts);
    ({ cursor } = page);
  }
  return texts;
}

const noMount = whyNoMount();
const options = noMount === null ? {} : { skip: noMount };

describe("a journal that cannot be used at the start", () => {
  it("ends the start with one sentence where the state directory is a file", async () => {
    const { home, dataDir } = await echoHome();
    writeFileSync(dataDir, "");
    const { exitCode, sentences } = await failedStart(home);
    assert.equal(exitCode, 1);
    assert.equal(sentences.length, 1, sentences.join("\n"));
    assert.match(sentences[0] ?? "", /^bulkhead: Cannot use the state directory .*data: /u);
  });

  it("ends the start with one sentence where the disk is read-only, new or used before", options, async () => {
    const { home, dataDir } = await echoHome();
    using disk = new SmallDisk(dataDir, 4);
    for (const isUsed of [false, true]) {
      if (isUsed) {
        await using gateway = await home.start();
        gateway.signal("SIGTERM");
        assert.equal(await gateway.ended, 0);
      }
      disk.makeReadOnly();
      const { exitCode, sentences } = await failedStart(home);
      assert.equal(exitCode, 1);
      assert.equal(sentences.length, 1, sentences.join("\n"));
      assert.match(sentences[0] ?? "", /^bulkhead: Cannot use the state directory .*data: .*read-?only/iu);
      disk.makeWritable();
    }
  });

  it("ends the start with one sentence where the file itself cannot be opened", async () => {
    const { home, dataDir } = await echoHome();
    {
      await using gateway = await home.start();
      gateway.signal("SIGTERM");
      await gateway.ended;
    }
    rmSync(join(dataDir, "journal.db"));
    mkdirSync(join(dataDir, "journal.db"));
    const { exitCode, sentences } = await failedStart(home);
    assert.equal(exitCode, 1);
    assert.equal(sentences.length, 1, sentences.join("\n"));
    assert.match(sentences[0] ?? "", /^bulkhead: Cannot open the journal /u);
  });
});

describe("a disk that fills up", () => {
  it("refuses with 503 and Retry-After, says so, and accepts again by itself once there is room", options, async () => {
    const { home, port, client, dataDir } = await echoHome();
    using _disk = new SmallDisk(dataDir, 10);
    await using gateway = await home.start();
    await gateway.reached("webhook", "running");
    const ballast = join(dataDir, "ballast");
    writeFileSync(ballast, Buffer.alloc(6 * 2 ** 20));

    const content = "x".repeat(65_536);
    const accepted: string[] = [];
    let refused: { readonly id: string; readonly status: number; readonly retryAfter: string | null } | null = null;
    for (let index = 0; refused === null; index += 1) {
      assert.ok(index < 200, "the disk is never full");
      const answer = await post(port, `m${index}`, `${index} ${content}`);
      if (answer.status === 202) accepted.push(String(index));
      else refused = { id: String(index), ...answer };
    }
    assert.ok(accepted.length > 0);
    assert.equal(refused.status, 503);
    assert.match(refused.retryAfter ?? "", /^[1-9]\d*$/u);
    const status = await statusWhere(gateway, (seen) => hasCondition(seen, "journal_unavailable"));
    assert.match(status.conditions.find(({ code }) => code === "journal_unavailable")?.message ?? "", /full/u);
    assert.equal((await gateway.admin("GET", "/readyz")).status, 503);
    assert.equal((await gateway.admin("GET", "/healthz")).status, 200);
    assert.equal((await post(port, "while-full", "tiny")).status, 503);
    assert.deepEqual(
      status.adapters.map(({ key, state }) => `${key} ${state}`),
      ["webhook running"],
    );

    rmSync(ballast);
    await statusWhere(gateway, (seen) => !hasCondition(seen, "journal_unavailable"));
    assert.equal((await gateway.admin("GET", "/readyz")).status, 200);
    for (const id of [refused.id, "after"]) assert.equal((await post(port, `m${id}`, `${id} again`)).status, 202);

    const wanted = [...accepted, refused.id, "after"];
    const answered: string[] = [];
    for (let cursor = 0; answered.length < wanted.length;) {
      const page = await client.poll("room", cursor);
      answered.push(...page.texts.map((text) => text.split(" ")[0] ?? ""));
      ({ cursor } = page);
    }
    assert.deepEqual(answered, wanted, "what was accepted is handled, what was refused is not");
    assert.equal((await gateway.status()).adapters[0]?.restarts, 0);
  });
});

/** Notes each call, and does not answer "waits" before there is a file. */
const waitingHandler = notingHandler
  .replace(
    'return "did "',
    'while (text === "waits" && !existsSync(new URL("./go", import.meta.url))) await new Promise((resolve) => setTimeout(resolve, 20));\n  return "did "',
  )
  .replace("appendFileSync", "appendFileSync, existsSync");
const noLimit = whyNoLimit();

describe("files that become read-only while the gateway runs", () => {
  it(
    "are told of, refuse with 503, lose nothing and are written again by themselves",
    { skip: noLimit ?? false, timeout: 90_000 },
    async () => {
      const { home, port, client } = await echoHome();
      home.writeFile("handler.mjs", waitingHandler);
      home.writeConfig(`[[consumers]]\nname = "main"\nmodule = "./handler.mjs"\n[messaging.webhook]\nport = ${port}\n`);
      await using gateway = await home.start();
      await gateway.reached("webhook", "running");
      assert.equal((await post(port, "m1", "before")).status, 202);
      assert.deepEqual((await client.poll("room")).texts, ["did before"]);
      assert.equal((await client.post({ conversation_id: "other", content: "waits" })).status, 202);
      {
        using _unwritable = new UnwritableFiles(gateway.pid);
        const refused = await post(port, "m2", "refused");
        assert.equal(refused.status, 503);
        assert.match(refused.retryAfter ?? "", /^[1-9]\d*$/u);
        const status = await statusWhere(gateway, (seen) => hasCondition(seen, "journal_unavailable"));
        assert.deepEqual(
          status.adapters.map(({ key, state }) => `${key} ${state}`),
          ["webhook running"],
        );
        assert.equal((await gateway.admin("GET", "/readyz")).status, 503);
        assert.equal((await gateway.admin("GET", "/healthz")).status, 200);
        // Its reply and its ack find no journal.
        home.writeFile("go", "");
        assert.equal((await post(port, "m3", "refused as well")).status, 503);
      }
      await statusWhere(gateway, (seen) => !hasCondition(seen, "journal_unavailable"));
      assert.equal((await gateway.admin("GET", "/readyz")).status, 200);
      for (const id of ["m2", "m3"]) assert.equal((await post(port, id, `${id} again`)).status, 202);
      assert.equal((await client.post({ conversation_id: "other", content: "last" })).status, 202);
      assert.deepEqual(await allUpTo(client, "other", "did last"), ["did waits", "did last"]);
      assert.deepEqual(await allUpTo(client, "room", "did m3 again"), ["did m2 again", "did m3 again"]);
      const calls = handledIn(home.dir)
        .map(({ text }) => text)
        .filter((text) => text !== "waits");
      assert.deepEqual(calls.toSorted(), ["before", "last", "m2 again", "m3 again"]);
      assert.equal((await gateway.status()).adapters[0]?.restarts, 0);
    },
  );
});

describe("a damaged journal", () => {
  const damages: readonly (readonly [string, (bytes: number) => readonly [number, number]])[] = [
    ["its header", () => [0, 4096]],
    ["its middle", (bytes) => [Math.floor(bytes / 3), Math.floor(bytes / 3)]],
  ];
  for (const [title, rangeOf] of damages)
    it(`is set aside by name when ${title} is overwritten, and the gateway runs on`, async () => {
      const { home, client, port, dataDir } = await echoHome();
      const path = join(dataDir, "journal.db");
      let cursor = 0;
      {
        await using gateway = await home.start();
        await gateway.reached("webhook", "running");
        for (let index = 0; index < 100; index += 1)
          assert.equal((await post(port, `m${index}`, "x".repeat(2_000))).status, 202);
        ({ cursor } = await client.poll("room", 0));
        gateway.signal("SIGTERM");
        assert.equal(await gateway.ended, 0);
      }
      const { size } = statSync(path);
      const [from, length] = rangeOf(size);
      const file = openSync(path, "r+");
      writeSync(file, Buffer.alloc(length, "garbage!"), 0, length, from);
      closeSync(file);
      const damaged = readFileSync(path);

      await using gateway = await home.start();
      await gateway.reached("webhook", "running");
      const { conditions } = await gateway.status();
      const message = conditions.find(({ code }) => code === "journal_corrupt")?.message ?? "";
      const aside = readdirSync(dataDir).find((name) => /^journal\.db\.corrupt-[^-]+-\d\d-\d\dT[\d:.]+Z$/u.test(name));
      assert.ok(aside !== undefined, readdirSync(dataDir).join(" "));
      assert.ok(message.includes(join(dataDir, aside)), message);
      assert.ok(readFileSync(join(dataDir, aside)).equals(damaged), "it is kept as it was found");
      assert.ok(existsSync(path));
      assert.equal((await post(port, "m0", "new life")).status, 202);
      const page = await client.poll("room", cursor);
      assert.deepEqual(page.texts, ["new life"]);
      assert.ok(page.cursor > cursor, "a client's cursor of the old file stays below every new one");
      assert.equal((await gateway.admin("GET", "/readyz")).status, 200);
    });

  it("is set aside when its damage shows while it is in use, and the gateway runs on", async () => {
    const home = new GatewayHome();
    const port = await freePort();
    // Nobody reads the stream: everything stays in the journal.
    home.writeConfig(`[[consumers]]\nname = "main"\nstream = true\n[messaging.webhook]\nport = ${port}\n`);
    await using gateway = await home.start();
    await gateway.reached("webhook", "running");
    const client = new WebhookClient(port);
    // More than its cache holds: the first one must be read from the file.
    const content = "x".repeat(1_000_000);
    const { id } = await client.post({ conversation_id: "first", content });
    for (let index = 0; index < 90; index += 1)
      assert.equal((await client.post({ conversation_id: `c${index}`, content })).status, 202);
    const path = join(home.dir, "data", "journal.db");
    const { size } = statSync(path);
    const file = openSync(path, "r+");
    const garbage = Buffer.alloc(2 ** 20, "garbage!");
    for (let at = 4096; at + garbage.length < size; at += garbage.length)
      writeSync(file, garbage, 0, garbage.length, at);
    closeSync(file);

    const answer = await gateway.admin("POST", `/v1/messages/${encodeURIComponent(id)}/respond`, { text: "hello" });
    assert.ok(answer.status >= 400, "a damaged row was served");
    const status = await statusWhere(gateway, (seen) => hasCondition(seen, "journal_corrupt"));
    assert.ok(!hasCondition(status, "journal_unavailable"));
    assert.ok(readdirSync(join(home.dir, "data")).some((name) => name.startsWith("journal.db.corrupt-")));
    assert.equal((await client.post({ conversation_id: "after", content: "hello" })).status, 202);
    assert.equal((await gateway.admin("GET", "/readyz")).status, 200);
  });
});
