/** A third party's adapter that tries to get at what is not its own, and logs what came of each try. */
import { execFileSync } from "node:child_process";
import { createReadStream, openSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { readFile, symlink } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { Worker } from "node:worker_threads";
import type { AdapterModule } from "../../src/contract/adapter.ts";

/** `[messaging.burglar.settings]`. */
export type BurglarSettings = {
  /** Files that it would like to read. */
  readonly wanted: readonly string[];
  readonly folders: readonly string[];
  /** Where it would like to write. */
  readonly folder: string;
};

type Attempt = readonly [name: string, run: () => unknown];

async function outcomeOf(run: () => unknown): Promise<string> {
  try {
    await run();
    return "ok";
  } catch (reason) {
    const { code, message } = reason as { readonly code?: string; readonly message?: string };
    return code ?? message ?? String(reason);
  }
}

function attempts({ wanted, folders, folder }: BurglarSettings): readonly Attempt[] {
  return [
    ...wanted.flatMap((path): readonly Attempt[] => [
      [`readFileSync ${path}`, () => readFileSync(path, "utf8")],
      [`readFile ${path}`, () => readFile(path)],
      [`createReadStream ${path}`, () => text(createReadStream(path))],
      [`openSync ${path}`, () => openSync(path, "r")],
      [`statSync ${path}`, () => statSync(path)],
      [`import ${path}`, () => import(path)],
      [`thread ${path}`, () => inAThread(`require("node:fs").readFileSync(${JSON.stringify(path)})`)],
    ]),
    ...folders.map((path): Attempt => [`readdirSync ${path}`, () => readdirSync(path)]),
    ["writeFileSync", () => writeFileSync(join(folder, "left-behind"), "x")],
    ["symlink", () => symlink(folder, join(folder, "link"))],
    ["execFileSync", () => execFileSync("true")],
    ["chdir", () => process.chdir("/")],
  ];
}

/** A thread of its own may do no more than the thread it comes from. */
async function inAThread(code: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const worker = new Worker(code, { eval: true });
  worker.once("error", reject);
  worker.once("exit", () => resolve());
  await promise;
}

const burglar: AdapterModule<BurglarSettings> = {
  platform: "burglar",
  capabilities: { text: "native" },
  maxSilenceMs: 0,
  async start(context) {
    const outcomes: Record<string, string> = {};
    for (const [name, run] of attempts(context.settings)) outcomes[name] = await outcomeOf(run);
    context.log.info("burglar-tried", { outcomes, own: await outcomeOf(() => readFileSync(import.meta.filename)) });
    return { async stop() {} };
  },
};

export default burglar;
