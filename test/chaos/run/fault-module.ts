/** The fault adapter in a run's own directory, with a FIFO beside it that it may read and nobody writes to. */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { faultAdapterPath, type GatewayHome } from "../../support/gateway-fixture.ts";

/** Where they are. */
export type FaultModule = { readonly path: string; readonly fifoPath: string };

/** An adapter's host may read the folder that its module lies in, and make nothing there. */
export function installFaultModule({ dir }: GatewayHome): FaultModule {
  const folder = join(dir, "fault");
  mkdirSync(folder);
  for (const name of ["fault-adapter.ts", "allocation-shapes.ts"])
    copyFileSync(join(dirname(faultAdapterPath), name), join(folder, name));
  const fifoPath = join(folder, "fifo");
  execFileSync("mkfifo", [fifoPath]);
  return { path: join(folder, "fault-adapter.ts"), fifoPath };
}
