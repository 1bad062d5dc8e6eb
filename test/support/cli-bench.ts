/** The command line run in this process, against a real admin server over a fake gateway. */
import { AdminClient, NotRunningError } from "../../src/admin-client.ts";
import { createMetrics } from "../../src/admin/metrics.ts";
import { startAdminServer, type AdminServer } from "../../src/admin/server.ts";
import { runProgram } from "../../src/cli/program.ts";
import type { LoadResult } from "../../src/contract/config.ts";
import type { PlanAction } from "../../src/contract/control.ts";
import { silentLogger } from "./silent-logger.ts";
import { FakeControl } from "./fake-control.ts";

/** What a command line came to. */
export type CliRun = { readonly exitCode: number; readonly out: string; readonly err: string };

/** One gateway and any number of command lines. */
export class CliBench implements AsyncDisposable {
  readonly control: FakeControl;
  readonly server: AdminServer;
  readonly token: string;
  /** What loading any config gives. */
  loaded: LoadResult = { ok: false, errors: [] };
  planned: readonly PlanAction[] = [];
  /** `false`: no gateway was ever started. */
  isRunning = true;
  /** Called with each text on standard output. */
  onPrint: (text: string) => void = () => {};

  private constructor(server: AdminServer, control: FakeControl, token: string) {
    this.server = server;
    this.control = control;
    this.token = token;
  }

  static async start(): Promise<CliBench> {
    const control = new FakeControl();
    const token = "t".repeat(43);
    const server = await startAdminServer({
      listen: { kind: "tcp", host: "127.0.0.1", port: 0 },
      token,
      control,
      logger: silentLogger,
      metrics: createMetrics(control),
    });
    return new CliBench(server, control, token);
  }

  get port(): number {
    return Number(new URL(this.server.url).port);
  }

  async run(...parameters: readonly string[]): Promise<CliRun> {
    let [out, err] = ["", ""];
    const print = (text: string): void => {
      out += text;
      this.onPrint(text);
    };
    const complain = (text: string): void => {
      err += text;
    };
    const exitCode = await runProgram(parameters, {
      version: "1.2.3",
      start: async (configPath) => {
        print(`started ${configPath}\n`);
        return 0;
      },
      schema: async () => ({ type: "object" }),
      print,
      complain,
      context: ({ source, json }) => ({
        json,
        source,
        print: (line) => print(`${line}\n`),
        complain: (line) => complain(`${line}\n`),
        load: async () => this.loaded,
        planFromNothing: () => this.planned,
        connect: async () => {
          if (!this.isRunning) throw new NotRunningError("gateway not running: no token in /data");
          return new AdminClient({ listen: { kind: "tcp", host: "127.0.0.1", port: this.port }, token: this.token });
        },
      }),
    });
    return { exitCode, out, err };
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.server[Symbol.asyncDispose]();
  }
}
