/** What a thread says to the coordinator. */
import { frameKindOf, splitFrames, stampGeneration, threadFrameKinds } from "../contract/frame.ts";

/**
 * The frames in `bytes`, which came by a thread's port, that a thread may send, under the stamp of its generation: none can
 * speak for another, or as its host. What is left over behind the last frame is dropped: it would begin another's.
 */
export function framesOfThread(generation: number, bytes: Uint8Array<ArrayBuffer>): readonly Uint8Array<ArrayBuffer>[] {
  const allowed = splitFrames(bytes).filter((frame) => threadFrameKinds.has(frameKindOf(frame)));
  for (const frame of allowed) stampGeneration(frame, generation);
  const allowedBytes = allowed.reduce((sum, { length }) => sum + length, 0);
  // Memory that came by a port is the receiver's own.
  if (allowedBytes === bytes.length) return allowedBytes === 0 ? [] : [bytes];
  return allowed.map((frame) => new Uint8Array(frame));
}
