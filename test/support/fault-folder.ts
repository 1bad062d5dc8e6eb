/** The fault adapter in a folder of its own below a gateway's home, so that a confined host may read what lies beside it. */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { FaultCommand } from "./fault-adapter.ts";
import type { GatewayHome, RunningGateway } from "./gateway-fixture.ts";

/** Where its module is, and a FIFO beside it that nobody writes to. */
export type FaultFolder = { readonly modulePath: string; readonly fifoPath: string };

/** Makes the folder. */
export function faultFolder(home: GatewayHome): FaultFolder {
  const dir = join(home.dir, "fault");
  mkdirSync(dir);
  for (const name of ["fault-adapter.ts", "allocation-shapes.ts"])
    copyFileSync(fileURLToPath(new URL(name, import.meta.url)), join(dir, name));
  const fifoPath = join(dir, "fifo");
  execFileSync("mkfifo", [fifoPath]);
  return { modulePath: join(dir, "fault-adapter.ts"), fifoPath };
}

/**
 * Tells the fault adapter under `key` what to do; resolves once it is at it. What blocks its thread does so in the turn
 * after its answer, long before that answer is on disk.
 */
export async function provokeDone(gateway: RunningGateway, key: string, command: FaultCommand): Promise<void> {
  const sentBy = async (): Promise<number> =>
    (await gateway.status()).adapters.find((adapter) => adapter.key === key)?.messages.out ?? 0;
  const before = await sentBy();
  await gateway.provoke(key, command);
  // No event tells of a confirmed send.
  while ((await sentBy()) === before);
}
