/** One framed protocol over two kinds of road: a socket pair between processes, a MessageChannel within one. */
import type { Socket } from "node:net";
import type { MessagePort } from "node:worker_threads";
import { GatewayError } from "../contract/errors.ts";
import { FrameSplitter, joinFrames, splitFrames } from "../contract/frame.ts";

/** Whole frames, in order, both ways. */
export interface Link {
  /** Gives the frame's memory away. Dropped once the link is closed. */
  send(bytes: Uint8Array<ArrayBuffer>): void;
  close(): void;
}

/** What comes over a link. A frame that cannot be one ends the link with an error. */
export type LinkListener = {
  onFrame(bytes: Uint8Array): void;
  /** Nothing more will come; `reason` null for an orderly end. */
  onClosed(reason: Error | null): void;
};

/** A link over a connected socket. Frames sent in one turn of the loop leave in one write. */
export function socketLink(socket: Socket, listener: LinkListener): Link {
  const splitter = new FrameSplitter();
  let failure: Error | null = null;
  let outgoing: Uint8Array<ArrayBuffer>[] = [];
  socket.on("data", (chunk: Buffer) => {
    try {
      for (const frame of splitter.push(chunk)) listener.onFrame(frame);
    } catch (reason) {
      failure = reason as Error;
      socket.destroy();
    }
  });
  socket.on("error", (reason) => {
    failure ??= reason;
  });
  socket.once("close", () => listener.onClosed(failure));
  const flush = (): void => {
    const frames = outgoing;
    outgoing = [];
    if (frames.length > 0 && !socket.destroyed && !socket.writableEnded) socket.write(joinFrames(frames));
  };
  return {
    send(bytes) {
      outgoing.push(bytes);
      if (outgoing.length === 1) setImmediate(flush);
    },
    close() {
      flush();
      socket.end();
    },
  };
}

/** A link over a MessagePort, for threads in the coordinator's own process. */
export function portLink(port: MessagePort, listener: LinkListener): Link {
  port.on("message", (buffer: ArrayBuffer) => {
    for (const frame of splitFrames(new Uint8Array(buffer))) listener.onFrame(frame);
  });
  port.once("close", () => listener.onClosed(null));
  return {
    send: (bytes) => port.postMessage(bytes.buffer, [bytes.buffer]),
    close: () => port.close(),
  };
}

/** Why a link broke, for a log. Of an error that is none of ours the place alone: what it says may quote what came over the link. */
export function describeBreak(reason: Error): string {
  if (reason instanceof GatewayError) return reason.message;
  const name = "code" in reason ? String(reason.code) : reason.name;
  const place = /^ +(at .+)$/mu.exec(reason.stack ?? "")?.[1] ?? "";
  return `${name} ${place}`.trimEnd();
}
