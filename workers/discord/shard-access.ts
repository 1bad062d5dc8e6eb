/**
 * The one place that reaches into discord.js: it gives its user neither the socket, which must be closed at once and not
 * after a polite half a minute, nor the promise of a frame's handling, whose rejection would end the thread.
 * Made for version 14.28.1; where a later one is built differently, its own behaviour is all there is.
 */
import type { SimpleShardingStrategy } from "discord.js";

type Socket = { terminate?: () => void; on?: (event: "error", listener: () => void) => unknown };
type OnMessage = (data: unknown, isBinary: boolean) => Promise<void>;
type Shard = { connection?: Socket | null; onMessage?: OnMessage };
type Strategy = { readonly shards?: { get(id: number): Shard | undefined } };

/** The strategy's first shard. */
export class ShardAccess {
  readonly #shard: Shard | null;

  constructor(strategy: SimpleShardingStrategy) {
    this.#shard = (strategy as unknown as Strategy).shards?.get(0) ?? null;
  }

  /** `onFailure` hears what handling a frame throws, such as `{"op":9}`, which nobody would catch otherwise. */
  guard(onFailure: (reason: unknown) => void): void {
    const shard = this.#shard;
    const handle = shard?.onMessage;
    if (shard === null || handle === undefined) return;
    shard.onMessage = async (data, isBinary) => {
      try {
        await handle.call(shard, data, isBinary);
      } catch (reason) {
        onFailure(reason);
      }
    };
  }

  /** Cuts the socket that there is now, connected or not, when it is called. */
  terminator(): () => void {
    const socket = this.#shard?.connection;
    return () => {
      // One that has not connected yet says so with an error, and the library may have stopped listening.
      socket?.on?.("error", () => {});
      socket?.terminate?.();
    };
  }
}
