/**
 * How bytes travel between the coordinator, a host and a thread. One layout on both roads, so that a host forwards a
 * thread's frame without opening it:
 *
 * `u32 length of all that follows | u8 kind | 3 bytes zero | u32 generation | u32 length of meta | meta (JSON) | body`
 *
 * All numbers little-endian. A thread leaves the generation zero; its host writes it, so no thread can speak for another.
 */
import { GatewayError } from "./errors.ts";

/** Bytes before the meta. */
export const frameHeaderBytes = 16;
/** The longest frame, header included: 32 MiB. A longer one ends the link. */
export const frameLimitBytes = 33_554_432;

/** Every kind of frame, by its number on the wire. `T` = made by or meant for a thread, forwarded by the host unopened. */
export const frameKinds = {
  /** Coordinator -> host: run a generation. */
  open: 1,
  /** Coordinator -> host: a control call. */
  call: 2,
  /** Host -> coordinator: its outcome. */
  result: 3,
  /** T, thread -> coordinator: messages, or a consumer's settlements. */
  data: 4,
  /** T, coordinator -> thread: a data frame was accepted or refused. */
  accepted: 5,
  /** T, coordinator -> thread: leave to send more. */
  credit: 6,
  /** T, thread -> coordinator: a typed request. */
  request: 7,
  /** T, coordinator -> thread: its answer. */
  answer: 8,
  /** Host -> coordinator: what was measured of each thread and of the host. */
  sample: 9,
  /** Host -> coordinator: a thread is gone. */
  exited: 10,
  /** Coordinator -> host: end a generation's thread. */
  terminate: 11,
  /** Host -> coordinator: the host is up. */
  hello: 12,
  /** T, thread -> coordinator: a clock, a log record, a change of connection. */
  event: 13,
  /** T, coordinator -> thread: messages for a consumer. */
  deliver: 14,
  /** Host -> coordinator: a generation's data port is drained and closed; nothing more of it will come. */
  drained: 15,
} as const;
/** One of {@link frameKinds}. */
export type FrameKind = (typeof frameKinds)[keyof typeof frameKinds];

/** What a thread may send; its host drops anything else. */
export const threadFrameKinds: ReadonlySet<number> = new Set<number>([
  frameKinds.data,
  frameKinds.request,
  frameKinds.event,
]);

/** A frame taken apart. `meta` is unparsed JSON until {@link parseMeta}. */
export type Frame = {
  readonly kind: number;
  readonly generation: number;
  readonly meta: Uint8Array;
  readonly body: Uint8Array;
};

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const noBytes = new Uint8Array(0);

/** One frame in a buffer of its own, so that it can be transferred. `body` may come in pieces. */
export function encodeFrame(
  kind: FrameKind,
  generation: number,
  meta: unknown,
  body: readonly Uint8Array[] = [],
): Uint8Array<ArrayBuffer> {
  const metaBytes = encoder.encode(JSON.stringify(meta));
  let total = frameHeaderBytes + metaBytes.length;
  for (const part of body) total += part.length;
  if (total > frameLimitBytes)
    throw new GatewayError(
      "too_large",
      `Cannot send a frame of ${total} bytes: at most ${frameLimitBytes} are allowed`,
    );
  const bytes = new Uint8Array(new ArrayBuffer(total));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, total - 4, true);
  view.setUint8(4, kind);
  view.setUint32(8, generation, true);
  view.setUint32(12, metaBytes.length, true);
  bytes.set(metaBytes, frameHeaderBytes);
  let offset = frameHeaderBytes + metaBytes.length;
  for (const part of body) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

/** Writes the generation into an encoded frame: the host's stamp on what a thread sent. */
export function stampGeneration(bytes: Uint8Array, generation: number): void {
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).setUint32(8, generation, true);
}

/** The kind of an encoded frame; 0 for bytes too short to be one. */
export function frameKindOf(bytes: Uint8Array): number {
  return bytes.length < frameHeaderBytes ? 0 : (bytes[4] ?? 0);
}

/**
 * An encoded frame taken apart; views on the same memory.
 * @throws {GatewayError} `invalid_request` when its lengths do not add up.
 */
export function decodeFrame(bytes: Uint8Array): Frame {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const metaEnd = bytes.length < frameHeaderBytes ? 0 : frameHeaderBytes + view.getUint32(12, true);
  if (metaEnd === 0 || metaEnd > bytes.length || view.getUint32(0, true) !== bytes.length - 4)
    throw new GatewayError(
      "invalid_request",
      `Cannot read a frame of ${bytes.length} bytes: its lengths do not add up`,
    );
  return {
    kind: view.getUint8(4),
    generation: view.getUint32(8, true),
    meta: bytes.subarray(frameHeaderBytes, metaEnd),
    body: metaEnd === bytes.length ? noBytes : bytes.subarray(metaEnd),
  };
}

/** Frames one after the other in memory of their own; a single one as it is. */
export function joinFrames(frames: readonly Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer> {
  const [only] = frames;
  if (only !== undefined && frames.length === 1) return only;
  let total = 0;
  for (const frame of frames) total += frame.length;
  const joined = new Uint8Array(new ArrayBuffer(total));
  let offset = 0;
  for (const frame of frames) {
    joined.set(frame, offset);
    offset += frame.length;
  }
  return joined;
}

/** The frames that {@link joinFrames} joined, as views. Bytes that are no whole frame end the list. */
export function splitFrames(bytes: Uint8Array): readonly Uint8Array[] {
  const frames: Uint8Array[] = [];
  for (let offset = 0; bytes.length - offset >= frameHeaderBytes;) {
    const length = lengthAt(bytes, offset);
    if (length < frameHeaderBytes || bytes.length - offset < length) break;
    frames.push(offset === 0 && length === bytes.length ? bytes : bytes.subarray(offset, offset + length));
    offset += length;
  }
  return frames;
}

/** A frame's meta as JSON, still `unknown`. @throws {SyntaxError} for what is none. */
export function parseMeta(frame: Frame): unknown {
  return JSON.parse(decoder.decode(frame.meta));
}

/** Cuts a byte stream into frames, whatever pieces it comes in. */
export class FrameSplitter {
  #chunks: Uint8Array[] = [];
  #bufferedBytes = 0;

  /**
   * The complete frames that `chunk` finishes. A frame within one chunk is a view on it.
   * @throws {GatewayError} `too_large` when a frame announces more than {@link frameLimitBytes}.
   */
  push(chunk: Uint8Array): Uint8Array[] {
    this.#chunks.push(chunk);
    this.#bufferedBytes += chunk.length;
    const frames: Uint8Array[] = [];
    if (this.#bufferedBytes < 4) return frames;
    const first = this.#chunks[0];
    // Joined only once the frame in front is complete: joining at every chunk would copy a long frame many times over.
    if (first !== undefined && this.#chunks.length > 1 && first.length >= 4 && this.#bufferedBytes < lengthAt(first, 0))
      return frames;
    const all = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks, this.#bufferedBytes);
    let offset = 0;
    while (all.length - offset >= 4) {
      const length = lengthAt(all, offset);
      if (length > frameLimitBytes || length < frameHeaderBytes)
        throw new GatewayError(
          "too_large",
          `Cannot read a frame of ${length} bytes: ${frameHeaderBytes} to ${frameLimitBytes} are allowed`,
        );
      if (all.length - offset < length) break;
      frames.push(all.subarray(offset, offset + length));
      offset += length;
    }
    this.#chunks = offset === all.length ? [] : [all.subarray(offset)];
    this.#bufferedBytes = all.length - offset;
    return frames;
  }
}

function lengthAt(bytes: Uint8Array, offset: number): number {
  return 4 + new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(offset, true);
}
