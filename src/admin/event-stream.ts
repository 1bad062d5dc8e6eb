/** `GET /v1/events`: the ring's events as server-sent events. */
import type { GatewayEvent } from "../contract/control.ts";
import { sleep } from "../support/time.ts";

const encoder = new TextEncoder();

/**
 * Each event as one frame, and a comment whenever `heartbeatMs` pass without one, so that both ends notice a dead connection.
 * Pulled by the socket: a slow reader holds nothing here but the frame it is at.
 * Source: https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export async function* eventFrames(
  events: AsyncIterable<GatewayEvent>,
  options: { readonly heartbeatMs: number; readonly signal: AbortSignal },
): AsyncGenerator<Uint8Array> {
  const iterator = events[Symbol.asyncIterator]();
  try {
    // At once, so that the reader knows it is connected before anything happens.
    yield encoder.encode("retry: 1000\n\n");
    let next = iterator.next();
    for (;;) {
      const result = await nextOrHeartbeat(next, options);
      if (result === "heartbeat") {
        yield encoder.encode(": heartbeat\n\n");
        continue;
      }
      if (result.done === true) return;
      yield encoder.encode(frame(result.value));
      next = iterator.next();
    }
  } catch (reason) {
    // The reader left or the server closes: the stream ends, which is no error.
    if (!options.signal.aborted) throw reason;
  } finally {
    await iterator.return?.();
  }
}

async function nextOrHeartbeat(
  next: Promise<IteratorResult<GatewayEvent>>,
  options: { readonly heartbeatMs: number; readonly signal: AbortSignal },
): Promise<IteratorResult<GatewayEvent> | "heartbeat"> {
  const settled = new AbortController();
  const pause = sleep(options.heartbeatMs, AbortSignal.any([settled.signal, options.signal]));
  try {
    return await Promise.race([next, pause.then((): "heartbeat" => "heartbeat")]);
  } finally {
    pause.catch(() => {});
    settled.abort();
  }
}

function frame(event: GatewayEvent): string {
  return `id: ${event.id}\nevent: ${event.event}\ndata: ${JSON.stringify(event.data)}\n\n`;
}
