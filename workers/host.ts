/** A host process's entry: a relay on the inherited socket, and an end that cannot fail. */
import { writeSync } from "node:fs";
import { Socket } from "node:net";
import { encodeFrame, frameKinds } from "../src/contract/frame.ts";
import { protocolVersion, type HelloMeta } from "../src/contract/protocol.ts";
import { describeBreak, socketLink } from "../src/host/link.ts";
import { Relay } from "../src/host/relay.ts";
import { entries } from "./catalog.ts";

/** `process.exit()` waits for threads, and a thread in native code never ends: only the kernel is sure. Takes what adapters spawned along. */
function end(reason: Error | null): void {
  try {
    if (reason !== null) writeSync(process.stderr.fd, `The link to the coordinator broke: ${describeBreak(reason)}\n`);
  } finally {
    process.kill(-process.pid, "SIGKILL");
  }
}

// Signals of a terminal or of pm2 are the coordinator's to act on: it lets adapters and handlers finish. Its own SIGTERM is
// for what they have spawned, and SIGKILL follows.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => {});

const hello: HelloMeta = {
  protocolVersion,
  pid: process.pid,
  heapLimitOverridden: [...process.execArgv, process.env["NODE_OPTIONS"] ?? ""].some((option) =>
    option.includes("max-old-space-size"),
  ),
};
const socket = new Socket({ fd: 3 });
const link = socketLink(socket, { onFrame: (bytes) => relay.onFrame(bytes), onClosed: end });
const relay = new Relay(entries, link);
link.send(encodeFrame(frameKinds.hello, 0, hello));
