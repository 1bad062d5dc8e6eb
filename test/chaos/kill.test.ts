/** Ten `kill -9` of the coordinator in one run of 20,000 messages. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { Agent, request } from "node:http";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { freePort, GatewayHome, RunningGateway } from "../support/gateway-fixture.ts";
import { ackedTexts } from "../support/journal-copy.ts";
import { processesOf } from "../support/processes-of.ts";

const conversations = 50;
const messagesEach = 400;
const concurrency = 16;

const handler = `import { appendFileSync } from "node:fs";
const log = new URL("./handled.jsonl", import.meta.url);
export default async function handle({ conversation, text, attempt, redelivered }) {
  await new Promise((resolve) => setImmediate(resolve));
  appendFileSync(log, JSON.stringify({ conversation, text, attempt, redelivered }) + "\\n");
  return "did " + text;
}
`;

type Handled = {
  readonly conversation: string;
  readonly text: string;
  readonly attempt: number;
  readonly redelivered: boolean;
};

/** When the gateway is killed: so many more messages after the last time, or at an event of its start. */
type Moment = { readonly accepted: number } | { readonly event: string };

function randomMoments(seed: number): readonly Moment[] {
  let state = seed;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state % below;
  };
  const starts = ["host-started", "messages-recovered", "consumer-running"];
  return Array.from({ length: 10 }, (_, index) => {
    const event = index % 3 === 2 ? starts[(index - 2) / 3] : undefined;
    return event === undefined ? { accepted: 1 + random(4_000) } : { event };
  });
}

/** A gateway that is killed and started again, and says when it is up. */
class MortalGateway implements AsyncDisposable {
  readonly #home: GatewayHome;
  readonly #handledPath: string;
  #process: RunningGateway;
  /** Of the first life from now on whose webhook listens. */
  #up = Promise.withResolvers<void>();
  #isUp = false;
  /** What was on disk at each death: acked texts, and how long the handlers' log was then. */
  readonly deaths: { readonly acked: ReadonlySet<string>; readonly handledBytes: number }[] = [];

  constructor(home: GatewayHome) {
    this.#home = home;
    this.#handledPath = join(home.dir, "handled.jsonl");
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
    const handledBytes = statSync(this.#handledPath, { throwIfNoEntry: false })?.size ?? 0;
    const acked = new Set(ackedTexts(join(this.#home.dir, "data", "journal.db")));
    this.deaths.push({ acked, handledBytes });
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
      .then(() => {
        if (this.#process !== gateway) return;
        this.#isUp = true;
        this.#up.resolve();
      });
    return gateway;
  }
}

const agent = new Agent({ keepAlive: true, maxSockets: conversations });

/** One request; rejects when the connection fails, as it does when the gateway is killed. */
function send(port: number, method: string, path: string, body?: unknown): Promise<{ status: number; json: unknown }> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const headers = text === undefined ? {} : { "content-type": "application/json", "content-length": text.length };
    const outgoing = request({ host: "127.0.0.1", port, agent, method, path, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        try {
          resolve({ status: response.statusCode ?? 0, json: JSON.parse(Buffer.concat(chunks).toString("utf8")) });
        } catch (reason) {
          reject(reason);
        }
      });
    });
    outgoing.on("error", reject);
    outgoing.end(text);
  });
}

/** Sends the same request until it is answered with `wanted`, waiting for each new life of the gateway. */
async function insist(
  gateway: MortalGateway,
  wanted: number,
  ...args: Parameters<typeof send>
): Promise<{ readonly json: unknown; readonly tries: number }> {
  for (let tries = 1; ; tries += 1) {
    await gateway.up;
    try {
      const { status, json } = await send(...args);
      if (status === wanted) return { json, tries };
      assert.equal(status, 503, JSON.stringify(json));
    } catch (reason) {
      if (reason instanceof assert.AssertionError) throw reason;
      // Cut off by a kill: whether it was accepted is unknown, so the same id goes again.
    }
    // Leaves a dying gateway time to be seen dead, without a clock.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe("kill -9 of the coordinator", () => {
  it(
    "loses nothing that was accepted and repeats only what was under lease, in order",
    { timeout: 120_000 },
    async () => {
      const home = new GatewayHome();
      const port = await freePort();
      home.writeFile("handler.mjs", handler);
      home.writeConfig(
        `[[consumers]]\nname = "main"\nmodule = "./handler.mjs"\nconcurrency = ${concurrency}\n` +
          `[supervisor]\nbackoff_min_ms = 50\n[messaging.webhook]\nport = ${port}\n`,
      );
      await using gateway = new MortalGateway(home);

      let accepted = 0;
      let onAccepted = (): void => {};
      const resent = { count: 0 };
      const post = async (conversation: number): Promise<void> => {
        for (let index = 0; index < messagesEach; index += 1) {
          const text = `${conversation}-${index}`;
          const body = { conversation_id: `c${conversation}`, content: text, message_id: text };
          const { tries } = await insist(gateway, 202, port, "POST", "/send", body);
          resent.count += tries - 1;
          accepted += 1;
          onAccepted();
        }
      };
      const kill = async (): Promise<void> => {
        for (const moment of randomMoments(20_261_122)) {
          if ("event" in moment) await gateway.process.logged(({ event }) => event === moment.event);
          else {
            const target = accepted + moment.accepted;
            await new Promise<void>((resolve) => {
              onAccepted = () => (accepted >= target || accepted === conversations * messagesEach) && resolve();
            });
          }
          await gateway.dieAndRise();
        }
      };
      const all = Array.from({ length: conversations }, (_, conversation) => conversation);
      await Promise.all([kill(), ...all.map(post)]);

      const replies = await Promise.all(
        all.map(async (conversation) => {
          const texts: string[] = [];
          let cursor = 0;
          while (texts.length < messagesEach) {
            const path = `/poll/c${conversation}?wait=60&after=${cursor}`;
            const { json } = await insist(gateway, 200, port, "GET", path);
            const page = json as {
              readonly messages: readonly { readonly content: string }[];
              readonly cursor: number;
            };
            texts.push(...page.messages.map(({ content }) => content));
            ({ cursor } = page);
          }
          return texts;
        }),
      );
      for (const [conversation, texts] of replies.entries())
        assert.deepEqual(
          texts,
          Array.from({ length: messagesEach }, (_, index) => `did ${conversation}-${index}`),
          "each message is answered exactly once, in order",
        );

      const bytes = readFileSync(join(home.dir, "handled.jsonl"));
      const handled = bytes
        .toString("utf8")
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as Handled);
      const seen = new Set<string>();
      const lastOf = new Map<string, number>();
      let repeated = 0;
      for (const { conversation, text, attempt, redelivered } of handled) {
        assert.equal(attempt, 1, "a coordinator's death counts no attempt");
        if (seen.has(text)) {
          repeated += 1;
          assert.ok(redelivered, `${text} came again and did not say so`);
        }
        seen.add(text);
        const index = Number(text.split("-")[1]);
        assert.ok(index >= (lastOf.get(conversation) ?? 0), `${text} came after ${lastOf.get(conversation)}`);
        lastOf.set(conversation, index);
      }
      assert.equal(seen.size, conversations * messagesEach);
      assert.equal(gateway.deaths.length, 10);
      assert.ok(repeated <= concurrency * gateway.deaths.length, `${repeated} were repeated`);
      for (const { acked, handledBytes } of gateway.deaths) {
        const later = bytes.subarray(handledBytes).toString("utf8").trimEnd().split("\n").filter(Boolean);
        const again = later.map((line) => (JSON.parse(line) as Handled).text).filter((text) => acked.has(text));
        assert.deepEqual(again, [], "an acked message was delivered again");
      }
      assert.ok(gateway.deaths.some(({ acked }) => acked.size > 0));

      const { hosts } = await gateway.process.status();
      const running = processesOf(home.dir).filter(({ pid }) => pid !== gateway.process.pid);
      assert.deepEqual(
        running.map(({ pid }) => pid).toSorted((left, right) => left - right),
        hosts.map(({ pid }) => pid).toSorted((left, right) => left - right),
        "a host was left over",
      );
      gateway.process.signal("SIGTERM");
      assert.equal(await gateway.process.ended, 0);
      assert.deepEqual(processesOf(home.dir), []);
      agent.destroy();
      console.log({ repeated, resent: resent.count, acked: gateway.deaths.map(({ acked }) => acked.size) });
    },
  );
});
