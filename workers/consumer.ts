/** A consumer module's thread: a Piscina task that runs the user's handler on what the coordinator delivers, until it is stopped. */
import { parentPort } from "node:worker_threads";
import { GatewayError, type ErrorReport } from "../src/contract/errors.ts";
import { frameKinds } from "../src/contract/frame.ts";
import { parseCommands } from "../src/contract/parse-commands.ts";
import type { ConsumerInit } from "../src/contract/protocol.ts";
import { HandlerRunner, type Handler } from "./consumer-handlers.ts";
import { exposeControl } from "./control-table.ts";
import { startHeartbeat } from "./heartbeat.ts";
import { loadModule, namedExport } from "./load-module.ts";
import { captureConsole, ThreadPort, type ThreadTask } from "./thread-port.ts";

/** Runs one generation; returns when it was asked to stop, or at once with why its module could not be loaded. */
export default async function run(task: ThreadTask<ConsumerInit>): Promise<ErrorReport | undefined> {
  // Piscina's own port is a side channel: nothing in this thread may reach it.
  parentPort?.close();
  using _heartbeat = startHeartbeat(task.heartbeat);
  const port = new ThreadPort(task.dataPort);
  captureConsole(port.log);
  let handler: Handler;
  let declared: unknown;
  try {
    handler = await loadModule(task.moduleUrl, isHandler);
    declared = await namedExport(task.moduleUrl, "commands");
  } catch (reason) {
    return GatewayError.from(reason).toReport();
  }
  const runner = new HandlerRunner(handler, port);
  port.onFrame(frameKinds.deliver, (frame) => runner.deliver(frame));
  const stopped = Promise.withResolvers<void>();
  const stop = async (): Promise<void> => {
    // After the answer is on its way, so that whoever asked sees it before the end of the thread.
    setImmediate(() => stopped.resolve());
  };
  const refuse = async (): Promise<never> => {
    throw new GatewayError("unsupported_response", "Cannot do that: this thread runs a consumer");
  };
  const others = {
    start: refuse,
    send: refuse,
    completeSend: refuse,
    setStatus: refuse,
    history: refuse,
    attachment: refuse,
    updatePolicy: refuse,
    probe: refuse,
  };
  exposeControl(task.controlPort, { ...others, stop }, (why) => port.log.warn("control-frame-refused", { why }));
  const { commands, problems } = parseCommands(declared);
  for (const problem of problems) port.log.warn("command-skipped", problem);
  port.event({ event: "commands", commands });
  port.event({ event: "loaded" });
  await stopped.promise;
  runner.flush();
  port.log.flush();
  port.flush();
  return undefined;
}

function isHandler(value: unknown): value is Handler {
  return typeof value === "function";
}
