/**
 * A third party's adapter that does each fault on command: at its start by its settings (`atStart`), later by what is
 * sent to it (the text is a JSON command). It is how every wall is tested.
 */
import { execSync, spawn } from "node:child_process";
import { pbkdf2Sync } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { allocate, type AllocationShape } from "./allocation-shapes.ts";
import type { AdapterContext, AdapterModule } from "../../src/contract/adapter.ts";

/** What it can be told to do. */
export type FaultCommand =
  | {
      readonly do: "emit";
      readonly count: number;
      readonly conversation: string;
      readonly from?: number;
      readonly text?: string;
    }
  | { readonly do: "flood"; readonly count: number }
  | {
      readonly do:
        | "throw"
        | "reject"
        | "exit"
        | "spin"
        | "close"
        | "kill-host"
        | "stop-host"
        | "map-bomb"
        | "native"
        | "hash";
    }
  /** `path`: a FIFO that nobody writes to, in a folder that an adapter may read; left out: it makes its own. */
  | { readonly do: "fifo" | "pool-fifo"; readonly path?: string }
  /** A child process that notes SIGTERM in the file `path`, after its pid, and may heed it. Done when it runs. */
  | { readonly do: "spawn"; readonly path: string; readonly heedsSigterm: boolean }
  /** What native code does to its process when it goes wrong. */
  | { readonly do: "signal-host"; readonly signal: "SIGSEGV" | "SIGABRT" | "SIGBUS" }
  | { readonly do: "allocate"; readonly shape: AllocationShape; readonly pace: "fast" | "slow" }
  | { readonly do: "leak-heap" | "leak-buffers"; readonly megabytesPerSecond: number };

/** `[messaging.fault.settings]`. */
export type FaultSettings = {
  readonly atStart?: "ok" | "reject" | "unauthorized" | "hang" | "close" | "throw" | "spin" | "kill-host" | "exit";
  readonly atStop?: "ok" | "hang" | "reject";
  readonly rejectPolicy?: boolean;
};

const never = new Promise<never>(() => {});

/** Does what `command` says; returns when it is under way. */
async function perform(
  command: FaultCommand,
  context: AdapterContext,
  closed: PromiseWithResolvers<void>,
): Promise<void> {
  switch (command.do) {
    case "emit": {
      const first = command.from ?? 0;
      const messages = Array.from({ length: command.count }, (_, index) => ({
        id: `${command.conversation}-${first + index}`,
        conversation: command.conversation,
        sender: { id: "fault" },
        text: command.text ?? String(first + index),
      }));
      await context.emit(messages);
      return;
    }
    case "flood":
      for (let index = 0; index < command.count; index += 1) {
        const message = {
          id: `flood-${context.generation}-${index}`,
          conversation: `flood-${index % 16}`,
          sender: { id: "fault" },
          text: "x".repeat(100),
        };
        // Not awaited: a flood is what an adapter does that does not wait.
        context.emit(message).catch(() => {});
        if (index % 1000 === 999) await new Promise((resolve) => setImmediate(resolve));
      }
      return;
    case "throw":
      setImmediate(() => {
        throw new Error("the fault adapter throws");
      });
      return;
    case "reject":
      void Promise.reject(new Error("the fault adapter rejects"));
      return;
    case "exit":
      setImmediate(() => process.exit(3));
      return;
    case "spin":
      setImmediate(() => {
        for (;;);
      });
      return;
    case "close":
      closed.resolve();
      return;
    case "kill-host":
      setImmediate(() => process.kill(process.pid, "SIGKILL"));
      return;
    case "stop-host":
      setImmediate(() => process.kill(process.pid, "SIGSTOP"));
      return;
    case "signal-host":
      setImmediate(() => process.kill(process.pid, command.signal));
      return;
    case "spawn":
      await spawnChild(command);
      return;
    case "map-bomb":
      setImmediate(() => {
        const map = new Map<number, { index: number }>();
        for (let index = 0; ; index += 1) map.set(index, { index });
      });
      return;
    case "native":
      setImmediate(() => execSync("sleep 3600"));
      return;
    case "hash":
      // Refused to nobody, unlike a child process: some minutes of native code.
      setImmediate(() => pbkdf2Sync("x", "salt", 2_000_000_000, 64, "sha512"));
      return;
    case "fifo":
      setImmediate(() => readFileSync(command.path ?? makeFifo()));
      return;
    case "pool-fifo":
      for (let index = 0; index < 4; index += 1) readFile(command.path ?? makeFifo()).catch(() => {});
      return;
    case "allocate":
      return allocate(command.shape, command.pace);
    case "leak-heap":
    case "leak-buffers":
      leak(command.do, command.megabytesPerSecond);
      return;
  }
}

function leak(kind: "leak-heap" | "leak-buffers", megabytesPerSecond: number): void {
  const kept: unknown[] = [];
  setInterval(() => {
    const megabytes = megabytesPerSecond / 20;
    if (kind === "leak-buffers") kept.push(Buffer.alloc(megabytes * 1_048_576, 1));
    else
      for (let index = 0; index < megabytes * 8; index += 1)
        kept.push(Array.from({ length: 16_384 }, (_, item) => item + index));
  }, 50);
}

async function spawnChild(options: { readonly path: string; readonly heedsSigterm: boolean }): Promise<void> {
  const script = `const { appendFileSync } = require("node:fs");
    const note = (text) => appendFileSync(${JSON.stringify(options.path)}, text);
    process.on("SIGTERM", () => {
      note(" SIGTERM");
      if (${options.heedsSigterm}) process.exit();
    });
    require("node:net").createServer().listen(0, "127.0.0.1");
    note(String(process.pid));
    process.stdout.write("up");`;
  const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
}

function makeFifo(): string {
  const path = join(mkdtempSync(join(tmpdir(), "bulkhead-fifo-")), "fifo");
  execSync(`mkfifo ${path}`);
  return path;
}

const adapter: AdapterModule<FaultSettings> = {
  platform: "fault",
  capabilities: { text: "native", stream_chunk: "native" },
  maxSilenceMs: 0,
  async start(context) {
    const { atStart = "ok", atStop = "ok" } = context.settings;
    const closed = Promise.withResolvers<void>();
    if (atStart === "hang") await never;
    if (atStart === "reject") throw new Error("the fault adapter does not start");
    if (atStart === "unauthorized")
      throw Object.assign(new Error("Cannot log in: the token was refused"), {
        code: "unauthorized",
        retry: { kind: "never" },
        userAction: "Put a fresh token into the config",
      });
    if (
      atStart === "throw" ||
      atStart === "spin" ||
      atStart === "kill-host" ||
      atStart === "exit" ||
      atStart === "close"
    )
      await perform({ do: atStart }, context, closed);
    if (atStart === "spin" || atStart === "kill-host" || atStart === "exit") await never;
    return {
      closed: closed.promise,
      async send({ response }) {
        if (response.kind !== "text") return { platformMessageId: null };
        const command = response.text.startsWith("{") ? (JSON.parse(response.text) as FaultCommand) : null;
        if (command !== null) await perform(command, context, closed);
        return { platformMessageId: `sent-${response.text.length}` };
      },
      async updatePolicy() {
        if (context.settings.rejectPolicy === true) throw new Error("the fault adapter keeps its policy");
      },
      async stop() {
        if (atStop === "hang") {
          context.log.info("fault-stop-hangs");
          await never;
        }
        if (atStop === "reject") throw new Error("the fault adapter does not stop well");
      },
    };
  },
};

export default adapter;
