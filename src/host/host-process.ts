/** Starts one host process and says when it is really gone. */
import { spawn, type ChildProcess } from "node:child_process";
import type { Socket } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Placement } from "../contract/host.ts";
import type { Logger } from "../support/logger.ts";
import { endGroup, killGroup } from "./process-group.ts";

/** Threads of libuv's pool in a host: four stuck file jobs of one adapter must not stall every other's fs and dns. */
const threadPoolSize = 64;

/** A gateway that stops has so long for it: see its shutdown. */
const endGraceMs = 1000;

/** Many small heaps: collecting each with helper threads costs more CPU than it saves time. */
const collectorFlags = ["--single-threaded-gc", "--v8-pool-size=0"];

/** What an adapter host keeps of the environment: what tells it where it is, nothing that could hold a secret. */
const keptVariables =
  /^(?:TZ|LANG|LC_\w+|(?:HTTP|HTTPS|NO|ALL)_PROXY|(?:http|https|no|all)_proxy|NODE_EXTRA_CA_CERTS)$/u;

/** See `HostGrants`. */
export type Confinement = { readonly flags: readonly string[]; readonly cwd: string };

/** A started host process. */
export type HostProcess = {
  readonly pid: number;
  /** Its end of the framed protocol. */
  readonly socket: Socket;
  /** At once, with whatever it has spawned. */
  readonly kill: () => void;
  /** What it has spawned has a second to end by itself. */
  readonly end: () => Promise<void>;
  /** Resolves when the kernel has ended it, with how. */
  readonly exited: Promise<string>;
};

/** Spawns a host with nothing of ours but a socket on fd 3. Its output goes to the log. */
export async function spawnHost(options: {
  readonly entryUrl: string;
  readonly placement: Placement;
  /** What it may read and where it runs; `null`: whatever this process may. */
  readonly confinement: Confinement | null;
  readonly logger: Logger;
}): Promise<HostProcess> {
  const { flags = [], cwd } = options.confinement ?? {};
  const child = spawn(process.execPath, [...collectorFlags, ...flags, fileURLToPath(options.entryUrl)], {
    ...(cwd === undefined ? {} : { cwd }),
    stdio: ["ignore", "pipe", "pipe", "pipe"],
    // A group of its own: a terminal's Ctrl-C is for the coordinator, and what an adapter spawned goes with its host.
    detached: true,
    env: options.placement === "consumer" ? { ...process.env } : hostEnvironment(process.env),
  });
  const spawned = Promise.withResolvers<void>();
  const exited = Promise.withResolvers<string>();
  child.once("spawn", () => spawned.resolve());
  child.on("error", (reason) => spawned.reject(reason));
  child.once("exit", (code, signal) => exited.resolve(signal === null ? `exit code ${code}` : `signal ${signal}`));
  await spawned.promise;
  const { pid } = child;
  if (pid === undefined) throw new Error("A spawned process has no pid");
  logOutput(child, options.logger.child({ hostPid: pid }));
  let ending: Promise<void> | null = null;
  return {
    pid,
    // A "pipe" beyond stderr is a socket pair: both ends read and write.
    socket: child.stdio[3] as Socket,
    kill: () => killGroup(pid),
    end: () => (ending ??= endGroup(pid, endGraceMs)),
    exited: exited.promise,
  };
}

function hostEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(environment).filter(([name]) => keptVariables.test(name));
  return { ...Object.fromEntries(kept), UV_THREADPOOL_SIZE: String(threadPoolSize) };
}

function logOutput(child: ChildProcess, logger: Logger): void {
  for (const [stream, level] of [
    [child.stdout, "info"],
    [child.stderr, "warn"],
  ] as const) {
    if (stream === null) continue;
    createInterface({ input: stream }).on("line", (line) =>
      logger[level]("host-output", { text: line.slice(0, 8192) }),
    );
  }
}
