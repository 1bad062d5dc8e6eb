/** Starts and ends the process of `bare-gateway.ts`. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { freePort } from "../support/gateway-fixture.ts";
import { BenchHome } from "./bench-gateway.ts";

const bareGatewayPath = fileURLToPath(new URL("./bare-gateway.ts", import.meta.url));

/** A bare gateway that listens. */
export type BareProcess = AsyncDisposable & { readonly port: number; readonly pid: number };

/** Resolves when it listens; its file goes when it is disposed. */
export async function startBareGateway(): Promise<BareProcess> {
  const home = new BenchHome();
  const port = await freePort();
  const child = spawn(process.execPath, ["--no-warnings", bareGatewayPath, String(port), home.dir], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  await once(child.stdout, "data");
  return {
    port,
    pid: child.pid ?? 0,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await exited;
      home[Symbol.dispose]();
    },
  };
}
