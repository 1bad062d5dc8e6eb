/** A host process that is up, and answers its first generation with what can be no frame. */
import { Socket } from "node:net";
import { encodeFrame, frameKinds } from "../../src/contract/frame.ts";
import { protocolVersion, type HelloMeta } from "../../src/contract/protocol.ts";
import { socketLink } from "../../src/host/link.ts";

const hello: HelloMeta = { protocolVersion, pid: process.pid, heapLimitOverridden: false };
const socket = new Socket({ fd: 3 });
const link = socketLink(socket, {
  onFrame: () => socket.write(Buffer.alloc(16, 0xff)),
  onClosed: () => process.kill(process.pid, "SIGKILL"),
});
link.send(encodeFrame(frameKinds.hello, 0, hello));
