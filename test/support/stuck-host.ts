/** A host process that is up, and at its first generation takes much memory and stands still: it reports nothing of it. */
import { Socket } from "node:net";
import { encodeFrame, frameKinds } from "../../src/contract/frame.ts";
import { protocolVersion, type HelloMeta } from "../../src/contract/protocol.ts";
import { socketLink } from "../../src/host/link.ts";

const megabytes = 200;

const hello: HelloMeta = { protocolVersion, pid: process.pid, heapLimitOverridden: false };
const link = socketLink(new Socket({ fd: 3 }), {
  onFrame() {
    const kept = Buffer.alloc(megabytes * 1_048_576, 1);
    while (kept.length > 0);
  },
  onClosed: () => process.kill(process.pid, "SIGKILL"),
});
link.send(encodeFrame(frameKinds.hello, 0, hello));
