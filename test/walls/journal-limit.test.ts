/** Consumers that are behind by all that the journal may hold: what comes is refused, what was accepted is kept, over a kill as well. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { freePort, GatewayHome, WebhookClient } from "../support/gateway-fixture.ts";
import { hasCondition, statusWhere } from "../support/gateway-events.ts";
import { rssBytesOf } from "../support/processes-of.ts";
import { areAllWanted } from "../support/wall-tests.ts";

const limit = areAllWanted ? "2GiB" : "16MiB";
const contentBytes = 900_000;
const sideBySide = 4;
const patienceMs = 600_000;
/** A third of what waits when all of it is wanted: beyond a cache, messages are read when their turn comes. */
const mostRssBytes = 700 * 2 ** 20;

/** Says what it got in a file, and answers the last one of a room. */
const handler = `import { appendFileSync } from "node:fs";
export default ({ text }) => {
  const name = text.split(" ")[0];
  appendFileSync(new URL("handled.txt", import.meta.url), name + "\\n");
  return name.startsWith("last") ? name : undefined;
};
`;

/** Posts until it is refused. The names of what was accepted. */
async function fill(port: number, room: string): Promise<readonly string[]> {
  const client = new WebhookClient(port);
  const accepted: string[] = [];
  let posted = 0;
  let isFull = false;
  const post = async (): Promise<void> => {
    while (!isFull) {
      const name = `${room}-${(posted += 1)}`;
      const content = `${name} ${"x".repeat(contentBytes)}`;
      const { status } = await client.post({ conversation_id: room, content });
      if (status === 202) accepted.push(name);
      else isFull = true;
      assert.ok(status === 202 || status === 503, `answered ${status}`);
    }
  };
  await Promise.all(Array.from({ length: sideBySide }, post));
  return accepted;
}

describe("a journal that is full of what nobody handles", () => {
  it("refuses more, keeps what it has over a kill, and takes more again", { timeout: patienceMs * 2 }, async (t) => {
    const home = new GatewayHome();
    const ports = { first: await freePort(), second: await freePort() };
    home.writeFile("handler.mjs", handler);
    const config = (consumer: string): string =>
      `[journal]\nmax_bytes = "${limit}"\n[[consumers]]\nname = "main"\n${consumer}\n` +
      `[messaging.webhook]\nport = ${ports.first}\n` +
      `[[messaging.webhook.instances]]\nname = "second"\nport = ${ports.second}\n`;
    home.writeConfig(config("stream = true"));
    const accepted: string[] = [];
    {
      await using gateway = await home.start();
      for (const key of ["webhook", "webhook:second"]) await gateway.reached(key, "running");
      accepted.push(...(await fill(ports.first, "first")));
      const half = await statusWhere(gateway, (status) => hasCondition(status, "journal_full", "webhook"));
      assert.ok(!hasCondition(half, "journal_full"), "one adapter alone fills half of it at most");
      accepted.push(...(await fill(ports.second, "second")));
      await statusWhere(gateway, (status) => hasCondition(status, "journal_full"));
      gateway.signal("SIGKILL");
      await gateway.ended;
    }

    home.writeConfig(config('module = "./handler.mjs"'));
    await using gateway = await home.start();
    for (const key of ["webhook", "webhook:second"]) await gateway.reached(key, "running");
    const rssBytes = rssBytesOf(gateway.pid);
    t.diagnostic(`${accepted.length} messages of ${contentBytes} bytes waited, the coordinator held ${rssBytes} bytes`);
    assert.ok(rssBytes < mostRssBytes, `the coordinator holds ${rssBytes} bytes`);
    await statusWhere(gateway, ({ conditions }) => conditions.length === 0, AbortSignal.timeout(patienceMs));
    for (const [room, port] of Object.entries(ports)) {
      const client = new WebhookClient(port);
      assert.deepEqual(await client.roundTrip(room, `last-${room}`), [`last-${room}`]);
      accepted.push(`last-${room}`);
    }
    const handled = readFileSync(join(home.dir, "handled.txt"), "utf8").trimEnd().split("\n");
    assert.deepEqual(handled.toSorted(), accepted.toSorted());
  });
});
