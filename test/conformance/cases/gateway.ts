/** The adapter under its supervisor: what a person sees, what survives a kill, and what is left at the end. */
import assert from "node:assert/strict";
import type { ConformanceCase } from "../conformance-case.ts";
import type { EmulatedPlatform } from "../emulated-platform.ts";
import { GatewayBench } from "../gateway-bench.ts";
import { within } from "../within.ts";

const streamMessages = 60;

/** In, through thread, host and journal, out again; then a shutdown that leaves nothing. */
export async function talksThroughTheGateway(platform: EmulatedPlatform): Promise<void> {
  await using bench = await GatewayBench.start(platform);
  await bench.reached("running");
  const heard = await bench.talk("echo 你好 😀");
  const shown = await within(
    platform.nextShown(({ text }) => text === "你好 😀"),
    "the answer shown",
    () => platform.shown,
  );
  assert.equal(shown.conversation, heard.conversation);
  assert.equal((await bench.adapter()).restarts, 0);
  bench.gateway.signal("SIGTERM");
  assert.equal(await bench.gateway.ended, 0);
  await within(platform.allSocketsClosed(), "the end of every socket", () => platform.openSockets);
}

/** Numbered messages, its host killed in the middle: each arrives, and the handler gets it once. */
export async function losesNothingWhenItsHostIsKilled(platform: EmulatedPlatform): Promise<void> {
  const supervisor = "backoff_min_ms = 50\nbackoff_max_ms = 100";
  await using bench = await GatewayBench.start(platform, { supervisor });
  const { host, generation } = await bench.reached("running");
  assert.ok(host !== null && host.kind === "own", "the adapter has no host of its own");
  const wanted = Array.from({ length: streamMessages }, (_, index) => `number ${index}`);
  for (const [index, text] of wanted.entries()) {
    if (index === streamMessages / 3) {
      await bench.hears("number 0");
      process.kill(host.pid, "SIGKILL");
    }
    await platform.say({ text });
  }
  await bench.reached("running", (adapter) => adapter.generation !== generation);
  if (!platform.traits.recoversMissed) {
    await bench.talk("after the kill");
    return;
  }
  for (const text of wanted) await bench.hears(text);
  const texts = bench.heard.map(({ text }) => text);
  assert.deepEqual(texts.toSorted(), wanted.toSorted(), "a message was given to the handler more than once");
  assert.deepEqual((await bench.adapter()).restartsByReason, { host_died: 1 });
}

/** A save that narrows what is heard: obeyed at once, over the same connection, by the same generation. */
export async function obeysASaveWithoutReconnecting(platform: EmulatedPlatform): Promise<void> {
  await using bench = await GatewayBench.start(platform);
  const { generation } = await bench.reached("running");
  const { conversation } = await bench.talk("here, while all is open");
  await platform.say({ text: "there, while all is open", conversation: platform.otherConversation });
  await bench.hears("there, while all is open");
  const { total } = platform.connections;
  await bench.save({ bindings: platform.bindingToml("main", conversation) });
  await platform.say({ text: "there, refused", conversation: platform.otherConversation });
  await bench.talk("here, while it is narrow");
  await bench.save({});
  await platform.say({ text: "there again", conversation: platform.otherConversation });
  await bench.hears("there again");
  assert.ok(!bench.heard.some(({ text }) => text === "there, refused"), "the new policy is not obeyed");
  assert.equal(platform.connections.total, total, "it reconnected for a policy");
  assert.equal((await bench.adapter()).generation, generation, "it was replaced for a policy");
}

/** Bytes that no honest platform sends cost its thread at the most. */
export async function survivesNonsense(platform: EmulatedPlatform): Promise<void> {
  await using bench = await GatewayBench.start(platform, { supervisor: "backoff_min_ms = 50\nbackoff_max_ms = 100" });
  await bench.reached("running");
  await bench.talk("before the nonsense");
  const { pid } = await bench.gateway.status();
  await platform.sayNonsense();
  if (!platform.traits.recoversMissed) await bench.reached("running");
  await bench.talk("after the nonsense");
  const adapter = await bench.reached("running");
  assert.ok(adapter.restarts <= 3, `nonsense cost ${adapter.restarts} lives`);
  assert.equal((await bench.gateway.status()).pid, pid);
}

/** See each. */
export const gatewayCases: readonly ConformanceCase[] = [
  { title: "talks through the gateway, and is gone when it ends", run: talksThroughTheGateway },
  { title: "loses nothing when its host is killed in mid-stream", run: losesNothingWhenItsHostIsKilled },
  {
    title: "obeys a saved policy without a reconnect",
    unless: (platform) => (platform.bindingToml("main", "x") === "" ? "no binding narrows what it hears" : null),
    run: obeysASaveWithoutReconnecting,
  },
  { title: "survives what no honest platform sends", run: survivesNonsense },
];
