/** The gateway of a run: killed, stopped and started again as the schedule says, and looked into while it stands still. */
import { spawn } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { after, sleep } from "../../../src/support/time.ts";
import { Turns } from "../../../src/support/turns.ts";
import type { GatewayStatus } from "../../../src/contract/status.ts";
import { type GatewayHome, RunningGateway } from "../../support/gateway-fixture.ts";
import { ackedTexts } from "../../support/journal-copy.ts";
import { fullDiskVariable, slowDiskVariable } from "./debug-hooks.ts";
import type { Checkpoint, Heard } from "./ledger.ts";
import { orderlyDeadlineMs, type LifeEnd } from "./life-ends.ts";

/** Between the end of a process that nobody ended and its successor, as a process manager waits. */
const restartDelayMs = 500;
/** Between two tries of a call that met no gateway. */
const callRetryMs = 200;

const cliPath = fileURLToPath(new URL("../../../src/cli.ts", import.meta.url));
const hooksPath = fileURLToPath(new URL("./debug-hooks.ts", import.meta.url));

/** What is said in a run looks like this. */
const numbered = /^[a-z]+-[0-9]+$/u;

/** Whether `text` was said in a run, and is no nonsense of a platform's. */
export function isNumbered(text: string): boolean {
  return numbered.test(text);
}

/** The consumer: one line for each call, and an answer. Each thread that loads it is a life of its own. */
export const handler = `import { randomUUID } from "node:crypto";
import { appendFileSync } from "node:fs";
const log = new URL("./heard.jsonl", import.meta.url);
const life = randomUUID();
export default ({ id, adapter, text, attempt, redelivered }) => {
  appendFileSync(log, JSON.stringify({ id, adapter, text, attempt, redelivered, life }) + "\\n");
  return ${numbered}.test(text) ? "re:" + text : undefined;
};
`;

/** One line of it. */
export type HeardCall = Heard & { readonly id: string; readonly adapter: string };

/** See the top of the file. Its methods that end or stop the process wait for each other. */
export class ChaosGateway implements AsyncDisposable {
  readonly home: GatewayHome;
  readonly ends: LifeEnd[] = [];
  readonly checkpoints: Checkpoint[] = [];
  /** While there is a file here, commits are slow. */
  readonly slowDiskPath: string;
  /** While there is a file here, the journal may not grow. */
  readonly fullDiskPath: string;
  /** Lives so far. */
  lives = 0;
  readonly #environment: NodeJS.ProcessEnv;
  #process: RunningGateway;
  /** By us, or noted as having ended by themselves. */
  readonly #ended = new WeakSet<RunningGateway>();
  #isOver = false;
  readonly #turns = new Turns();

  constructor(home: GatewayHome, environment: NodeJS.ProcessEnv) {
    this.home = home;
    this.slowDiskPath = join(home.dir, "slow-disk");
    this.fullDiskPath = join(home.dir, "full-disk");
    this.#environment = {
      ...environment,
      [slowDiskVariable]: this.slowDiskPath,
      [fullDiskVariable]: this.fullDiskPath,
    };
    this.#process = this.#spawn();
  }

  /** The present life. */
  get process(): RunningGateway {
    return this.#process;
  }

  get journalPath(): string {
    return join(this.home.dir, "data", "journal.db");
  }

  /** Every call of the handler so far. */
  get heard(): readonly HeardCall[] {
    const path = join(this.home.dir, "heard.jsonl");
    if (statSync(path, { throwIfNoEntry: false }) === undefined) return [];
    const lines = readFileSync(path, "utf8").split("\n");
    return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as HeardCall);
  }

  /** `kill -9`, a look at what is on disk, and a new life. */
  kill(): Promise<void> {
    return this.#turns.take(async () => {
      const killed = this.#process;
      const isNoted = this.#ended.has(killed);
      // Another end came first: it had ended by itself, only nobody had seen it yet.
      if ((await this.#finish("SIGKILL")) !== "SIGKILL" && !isNoted) await this.#noteUnasked(killed);
      this.#checkpoint();
      this.#process = this.#spawn();
    });
  }

  /** Stands still for so long; what is on disk meanwhile is looked at. */
  stand(forMs: number): Promise<void> {
    return this.#turns.take(async () => {
      const { pid } = this.#process;
      signal(pid, "SIGSTOP");
      try {
        await sleep(forMs);
        this.#checkpoint();
      } finally {
        signal(pid, "SIGCONT");
      }
    });
  }

  /** An orderly end and a new life. */
  restart(): Promise<void> {
    return this.#turns.take(async () => {
      // Before that it may not listen to the signal yet.
      await this.#process.ready.catch(() => {});
      await this.#endOrderly();
      this.#checkpoint();
      this.#process = this.#spawn();
    });
  }

  /** What the debug hooks do on SIGUSR2. A life that is not up yet may not have them, and the signal would end it. */
  async callHooks(): Promise<void> {
    const gateway = this.#process;
    await gateway.ready;
    process.kill(gateway.pid, "SIGUSR2");
  }

  /** The last end. */
  end(): Promise<void> {
    return this.#turns.take(async () => {
      this.#isOver = true;
      await this.#endOrderly();
    });
  }

  /** One call of the admin API of whichever life answers; asked again until it does. Rejects with the signal's reason. */
  async call(
    method: string,
    path: string,
    options: { readonly body?: unknown; readonly signal: AbortSignal; readonly isFinal?: (status: number) => boolean },
  ): Promise<{ readonly status: number; readonly body: unknown }> {
    const { body, signal: over, isFinal = (status) => status < 500 && status !== 429 } = options;
    for (;;) {
      over.throwIfAborted();
      try {
        const answer = await this.#process.admin(method, path, body);
        if (isFinal(answer.status)) return answer;
      } catch {
        // It is dead, or not up yet.
      }
      await sleep(callRetryMs);
    }
  }

  async status(over: AbortSignal): Promise<GatewayStatus> {
    const { body } = await this.call("GET", "/v1/status", { signal: over, isFinal: (status) => status === 200 });
    return body as GatewayStatus;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    signal(this.#process.pid, "SIGCONT");
    await this.#process[Symbol.asyncDispose]();
  }

  /** Calls go on to the dying process until there is a new one: they fail, and are tried again. */
  #finish(by: NodeJS.Signals): Promise<number | string> {
    this.#ended.add(this.#process);
    this.#process.signal(by);
    return this.#process.ended;
  }

  /** By SIGTERM; killed where that takes too long, as a process manager does. */
  async #endOrderly(): Promise<void> {
    const beganAtMs = performance.now();
    using _late = after(orderlyDeadlineMs, () => this.#process.signal("SIGKILL"));
    const end = await this.#finish("SIGTERM");
    this.ends.push({ kind: "orderly", end, tookMs: Math.round(performance.now() - beganAtMs) });
  }

  /** First what is acked, then how many calls there were: in between nothing is lost sight of that was acked before. */
  #checkpoint(): void {
    const acked = new Set(ackedTexts(this.journalPath));
    this.checkpoints.push({ acked, calls: this.heard.length });
  }

  #spawn(): RunningGateway {
    this.lives += 1;
    const child = spawn(process.execPath, ["--import", hooksPath, cliPath, "--config", this.home.configPath, "start"], {
      cwd: this.home.dir,
      env: { ...process.env, ...this.#environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const gateway = new RunningGateway(this.home, child);
    // It may be killed before it is ready.
    gateway.ready.catch(() => {});
    void gateway.ended.then(() => this.#onEnded(gateway));
    return gateway;
  }

  async #noteUnasked({ ended, noise, log }: RunningGateway): Promise<void> {
    const lastWords = [...noise.slice(-5), ...log.slice(-3).map((line) => JSON.stringify(line))];
    this.ends.push({ kind: "unasked", end: await ended, lastWords });
  }

  async #onEnded(gateway: RunningGateway): Promise<void> {
    if (this.#isOver || this.#ended.has(gateway)) return;
    this.#ended.add(gateway);
    await this.#noteUnasked(gateway);
    await this.#turns.take(async () => {
      await sleep(restartDelayMs);
      if (!this.#isOver) this.#process = this.#spawn();
    });
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has just ended, which shows elsewhere.
  }
}
