/** A thread of the gateway's own process that is stuck in native code: nobody can end it, and nothing is hidden or lost. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { hasCondition, statusWhere } from "../support/gateway-events.ts";
import {
  faultAdapterPath,
  freePort,
  GatewayHome,
  WebhookClient,
  type RunningGateway,
} from "../support/gateway-fixture.ts";

const supervisor =
  "[supervisor]\nbackoff_min_ms = 50\nhang_after_ms = 500\nstop_timeout_ms = 200\nkill_timeout_ms = 200\n";
const slowEcho = `import { appendFileSync } from "node:fs";
export default async ({ text }) => {
  if (!text.startsWith("quick")) await new Promise((resolve) => setTimeout(resolve, 700));
  appendFileSync(new URL("./handled", import.meta.url), text + "\\n");
  return text;
};`;

type Place = { readonly home: GatewayHome; readonly client: WebhookClient; readonly fifo: string };

async function place(gatewayKeys = ""): Promise<Place> {
  const home = new GatewayHome();
  const [port, fifo] = [await freePort(), join(home.dir, "fifo")];
  execFileSync("mkfifo", [fifo]);
  home.writeFile("handler.mjs", slowEcho);
  home.writeConfig(
    `[gateway]\nshutdown_timeout_ms = 3000\n${gatewayKeys}\n[hosts]\nmode = "inline"\n${supervisor}` +
      `[[consumers]]\nname = "main"\nmodule = "./handler.mjs"\n[messaging.webhook]\nport = ${port}\n` +
      `[messaging.fault]\nmodule = "${faultAdapterPath}"\n`,
  );
  return { home, client: new WebhookClient(port), fifo };
}

/** Blocks the fault adapter's thread in a read that nobody answers. */
async function leak(gateway: RunningGateway, fifo: string): Promise<void> {
  await gateway.reached("webhook", "running");
  await gateway.reached("fault", "running");
  await gateway.provoke("fault", { do: "fifo", path: fifo });
  await statusWhere(gateway, ({ adapters }) =>
    adapters.some(({ key, messages }) => key === "fault" && messages.out === 1),
  );
  // In native code it does not look hung: an operator sees that it does not answer, and restarts it.
  await gateway.admin("POST", "/v1/adapters/fault/restart");
  await statusWhere(gateway, (seen) => hasCondition(seen, "thread_leaked", "fault"));
}

/** Posts one message after the other until nobody is there to take it; resolves with what each was answered with. */
async function postUntilGone(gateway: RunningGateway, client: WebhookClient): Promise<ReadonlyMap<string, number>> {
  const answers = new Map<string, number>();
  let isGoing = false;
  void gateway.nextLogged(({ event }) => event === "gateway-restarting").then(() => (isGoing = true));
  for (let index = 0; ; index += 1) {
    const text = `quick ${index}`;
    const posted = client.post({ conversation_id: "quick", content: text, message_id: text });
    const status = await posted.then(
      (answer) => answer.status,
      () => null,
    );
    if (status === null) return answers;
    answers.set(text, status);
    // It goes after some quiet looks only: until then hardly ever anything is under way.
    for (let turn = 0; turn < 200 && !isGoing; turn += 1) await gateway.admin("GET", "/healthz").catch(() => {});
  }
}

describe("a gateway with its threads inline, one of them stuck in native code", () => {
  it("says so until the thread ends after all, and then runs the adapter again", async () => {
    const { home, client, fifo } = await place();
    await using gateway = await home.start();
    await leak(gateway, fifo);
    assert.equal((await gateway.status()).adapters.find(({ key }) => key === "fault")?.state, "unkillable");
    assert.deepEqual(await client.roundTrip("room", "served"), ["served"]);
    // A writer comes and goes: the read is over.
    closeSync(openSync(fifo, "w"));
    const fault = await gateway.reached("fault", "running");
    assert.deepEqual(fault.conditions, []);
  });

  it("ends within its time all the same, by the only means there is, and loses nothing", async () => {
    const { home, client, fifo } = await place();
    await using gateway = await home.start();
    await leak(gateway, fifo);
    const { id } = await client.post({ conversation_id: "room", content: "in the handler" });
    assert.ok(id !== "");
    gateway.signal("SIGTERM");
    assert.equal(await gateway.ended, "SIGKILL");
    await using next = await home.start();
    await next.reached("webhook", "running");
    assert.deepEqual((await client.poll("room")).texts, ["in the handler"]);
  });

  it("hands over to whoever restarts it once nothing is being handled, and not before", async () => {
    const { home, client, fifo } = await place('restart_on_leaked_thread = "idle"');
    await using gateway = await home.start();
    await gateway.reached("webhook", "running");
    const texts = ["a", "b", "c"];
    for (const content of texts) await client.post({ conversation_id: "room", content });
    await leak(gateway, fifo);
    const posting = postUntilGone(gateway, client);
    const restarting = await gateway.logged(({ event }) => event === "gateway-restarting");
    assert.deepEqual(restarting["keys"], ["fault"]);
    assert.ok([1, "SIGKILL"].includes(await gateway.ended));
    const answers = await posting;
    await using next = await home.start();
    const fault = await next.reached("fault", "running");
    assert.deepEqual(fault.conditions, []);
    // All three were handled, one after the other, before it went; their answers are on disk.
    await next.reached("webhook", "running");
    assert.deepEqual((await client.poll("room")).texts, texts);
    const { consumers } = await statusWhere(next, (seen) => seen.consumers[0]?.pending === 0);
    assert.equal(consumers[0]?.dead, 0);
    const handled = readFileSync(join(home.dir, "handled"), "utf8").trimEnd().split("\n");
    const taken = [...answers.keys()].filter((text) => answers.get(text) === 202);
    assert.ok(taken.length > 0, "nothing was taken before it went");
    assert.deepEqual(
      // One whose answer was cut off may have been taken.
      handled.filter((text) => answers.has(text)),
      taken,
      "each message that was taken is handled once, in order",
    );
  });
});
