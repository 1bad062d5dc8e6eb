/** `kill -9` of any of a gateway's processes in the middle of a run of numbered messages. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { statSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { freePort, GatewayHome, RunningGateway, WebhookClient } from "../support/gateway-fixture.ts";
import { ackedTexts } from "../support/journal-copy.ts";
import { deadlyText, handledIn, notingHandler, NumberedRun, type Handled } from "../support/numbered-run.ts";
import { processesOf } from "../support/processes-of.ts";
import { randomSource } from "../support/random-source.ts";

const concurrency = 16;

async function numberedHome(consumer = ""): Promise<{ home: GatewayHome; port: number }> {
  const home = new GatewayHome();
  const port = await freePort();
  home.writeFile("handler.mjs", notingHandler);
  home.writeConfig(
    `[[consumers]]\nname = "main"\nmodule = "./handler.mjs"\nconcurrency = ${concurrency}\n${consumer}` +
      `[supervisor]\nbackoff_min_ms = 50\n[messaging.webhook]\nport = ${port}\n`,
  );
  return { home, port };
}

/** When the coordinator is killed: so many more messages after the last time, or at an event of its start. */
type Moment = { readonly accepted: number } | { readonly event: string };

function randomMoments(seed: number): readonly Moment[] {
  const random = randomSource(seed);
  const starts = ["config-accepted", "host-started", "consumer-running"];
  return Array.from({ length: 10 }, (_, index) => {
    const event = index % 3 === 2 ? starts[(index - 2) / 3] : undefined;
    return event === undefined ? { accepted: 1 + random(4_000) } : { event };
  });
}

/** A gateway that is killed and started again, and says when it is up. */
class MortalGateway implements AsyncDisposable {
  readonly #home: GatewayHome;
  #process: RunningGateway;
  /** Of the first life from now on whose webhook listens. */
  #up = Promise.withResolvers<void>();
  #isUp = false;
  /** What was on disk at each death: acked texts, and how long the handler's notes were then. */
  readonly deaths: { readonly acked: ReadonlySet<string>; readonly notedBytes: number }[] = [];

  constructor(home: GatewayHome) {
    this.#home = home;
    this.#process = this.#start();
  }

  get process(): RunningGateway {
    return this.#process;
  }

  /** Resolves when the webhook listens: now, or in whichever life gets that far. */
  get up(): Promise<void> {
    return this.#up.promise;
  }

  async dieAndRise(): Promise<void> {
    if (this.#isUp) this.#up = Promise.withResolvers();
    this.#isUp = false;
    this.#process.signal("SIGKILL");
    await this.#process.ended;
    const notes = statSync(join(this.#home.dir, "handled.jsonl"), { throwIfNoEntry: false });
    const acked = new Set(ackedTexts(join(this.#home.dir, "data", "journal.db")));
    this.deaths.push({ acked, notedBytes: notes?.size ?? 0 });
    this.#process = this.#start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
  }

  #start(): RunningGateway {
    const cli = fileURLToPath(new URL("../../src/cli.ts", import.meta.url));
    const child = spawn(process.execPath, [cli, "--config", this.#home.configPath, "start"], {
      cwd: this.#home.dir,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const gateway = new RunningGateway(this.#home, child);
    // Killed before it is ready: that is what this test is for.
    gateway.ready.catch(() => {});
    void gateway
      .logged(({ event, key }) => event === "webhook-listening" && key === "webhook")
      .then(
        () => {
          if (this.#process !== gateway) return;
          this.#isUp = true;
          this.#up.resolve();
        },
        () => {
          // This life ended before; the next one is waited for.
        },
      );
    return gateway;
  }
}

/** Asserts that whatever came again said so, and that no conversation went backwards; returns how many came again. */
function assertRepeatsAreMarkedInOrder(handled: readonly Handled[]): number {
  const seen = new Set<string>();
  const lastOf = new Map<string, number>();
  for (const { conversation, text, redelivered } of handled) {
    assert.ok(!seen.has(text) || redelivered, `${text} came again and did not say so`);
    seen.add(text);
    const index = Number(text.split("-")[1]);
    assert.ok(index >= (lastOf.get(conversation) ?? 0), `${text} came after ${lastOf.get(conversation)}`);
    lastOf.set(conversation, index);
  }
  return handled.length - seen.size;
}

/** Asserts that the gateway's processes are exactly those it lists. */
async function assertNoOrphans(gateway: RunningGateway): Promise<void> {
  const { hosts } = await gateway.status();
  const listed = new Set([gateway.pid, ...hosts.map(({ pid }) => pid)]);
  const running = processesOf(gateway.home.dir).filter(({ isZombie }) => !isZombie);
  assert.deepEqual(new Set(running.map(({ pid }) => pid)), listed, "a process was left over, or is missing");
}

describe("kill -9 of the coordinator", () => {
  it(
    "loses nothing that was accepted and repeats only what was under lease, in order",
    { timeout: 120_000 },
    async (t) => {
      const { home, port } = await numberedHome();
      await using gateway = new MortalGateway(home);
      using run = new NumberedRun({ port, conversations: 50, messagesEach: 400, up: () => gateway.up });
      const kill = async (): Promise<void> => {
        for (const moment of randomMoments(20_261_122)) {
          if ("event" in moment) await gateway.process.logged(({ event }) => event === moment.event);
          else await run.more(moment.accepted);
          await gateway.dieAndRise();
        }
      };
      await Promise.all([kill(), run.post()]);
      await run.assertAnsweredOnceInOrder();

      const handled = handledIn(home.dir);
      assert.equal(new Set(handled.map(({ text }) => text)).size, run.total);
      assert.ok(
        handled.every(({ attempt }) => attempt === 1),
        "a coordinator's death counts no attempt",
      );
      const repeated = assertRepeatsAreMarkedInOrder(handled);
      assert.ok(repeated <= concurrency * gateway.deaths.length, `${repeated} came again`);
      assert.equal(gateway.deaths.length, 10);
      for (const { acked, notedBytes } of gateway.deaths) {
        const again = handledIn(home.dir, notedBytes).filter(({ text }) => acked.has(text));
        assert.deepEqual(again, [], "an acked message was delivered again");
      }
      t.diagnostic(`${repeated} came again, ${run.resent} were sent again`);

      await assertNoOrphans(gateway.process);
      gateway.process.signal("SIGTERM");
      assert.equal(await gateway.process.ended, 0);
      assert.deepEqual(processesOf(home.dir), []);
    },
  );
});

describe("kill -9 of a host", () => {
  it("loses nothing that was accepted, whether adapters live in it or handlers", { timeout: 120_000 }, async (t) => {
    const { home, port } = await numberedHome("max_attempts = 20\n");
    await using gateway = await home.start();
    using run = new NumberedRun({
      port,
      conversations: 50,
      messagesEach: 120,
      up: () => gateway.reached("webhook", "running"),
    });
    const random = randomSource(7);
    const kill = async (): Promise<void> => {
      // Not more of each: the time to the next replacement doubles.
      for (const isHandlers of [true, false, false]) {
        await run.more(1 + random(1_000));
        const { hosts } = await gateway.status();
        const victim = hosts.find(({ keys }) => keys.includes("consumer:main") === isHandlers);
        assert.ok(victim !== undefined);
        const died = gateway.nextLogged(({ event, hostPid }) => event === "host-died" && hostPid === victim.pid);
        process.kill(victim.pid, "SIGKILL");
        await died;
      }
    };
    await Promise.all([kill(), run.post()]);
    await run.assertAnsweredOnceInOrder();
    // A host that dies with a message in a handler's hands: that counts an attempt.
    const client = new WebhookClient(port);
    assert.deepEqual(await client.roundTrip("deadly", deadlyText), [`did ${deadlyText}`]);
    const all = handledIn(home.dir);
    assert.deepEqual(
      all.filter(({ text }) => text === deadlyText).map(({ attempt, redelivered }) => [attempt, redelivered]),
      [
        [1, false],
        [2, true],
      ],
    );
    const handled = all.filter(({ text }) => text !== deadlyText);
    assert.equal(new Set(handled.map(({ text }) => text)).size, run.total);
    const repeated = assertRepeatsAreMarkedInOrder(handled);
    assert.ok(repeated <= concurrency * 3, `${repeated} came again`);
    t.diagnostic(`${repeated} came again, ${run.resent} were sent again`);
    const { adapters, consumers } = await gateway.status();
    assert.deepEqual([adapters[0]?.attempt, consumers[0]?.dead], [0, 0]);
    await assertNoOrphans(gateway);
  });
});

describe("a host that cannot end itself when its coordinator is killed", () => {
  it("is ended by the next start before anything of it is in the way", async () => {
    const { home, port } = await numberedHome();
    const client = new WebhookClient(port);
    let frozen: readonly number[];
    {
      await using gateway = await home.start();
      await gateway.reached("webhook", "running");
      assert.deepEqual(await client.roundTrip("room", "1-0"), ["did 1-0"]);
      frozen = (await gateway.status()).hosts.map(({ pid }) => pid);
      assert.equal(frozen.length, 2);
      for (const pid of frozen) process.kill(pid, "SIGSTOP");
      gateway.signal("SIGKILL");
      await gateway.ended;
    }
    assert.equal(processesOf(home.dir).length, 2);
    await using gateway = await home.start();
    const killed = await gateway.logged(({ event }) => event === "leftover-hosts-killed");
    assert.deepEqual(new Set(killed["pids"] as readonly number[]), new Set(frozen));
    const webhook = await gateway.reached("webhook", "running");
    assert.deepEqual([webhook.attempt, webhook.restarts], [0, 0], "its port was still held");
    // Elsewhere: whether the first answer was taken may not have been on disk yet.
    assert.deepEqual(await client.roundTrip("other-room", "1-1"), ["did 1-1"]);
    await assertNoOrphans(gateway);
  });
});
